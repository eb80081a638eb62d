import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { RefoldProcess } from "../e2e/refold-process.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { serverOfTest } from "../support/own-postgres.ts";
import { until } from "./followed.ts";

interface Started {
  readonly url: string;
  readonly refold: RefoldProcess;
}

async function startedOn(environment: Readonly<Record<string, string>>): Promise<Started> {
  const refold = new RefoldProcess(["start", "--port", "0"], environment);
  onTestFinished(async () => {
    refold.child.kill("SIGKILL");
    await refold.ended;
  });
  const [, url = ""] = await refold.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
  return { url, refold };
}

async function offered(databaseUrl: string, code: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `insert into catalogue.modules (code, title, capacity, fee_cents, updated_at)
     values ($1, 'A module', 100, 0, now())`,
    [code],
  );
  await client.end();
}

async function seats(url: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${url}/modules/M1/availability`, { headers });
  return { status: answer.status, body: (await answer.json()) as { confirmed?: number } };
}

async function registered(url: string, student: number): Promise<string> {
  const answer = await postRegistration(url, { moduleCode: "M1", studentId: `s${student}` });
  expect(answer.status).toBe(201);
  return answer.headers.get("refold-position") ?? "";
}

const codes = ["M1", "M2", "M3", "M4", "M5"];

const postRegistration = (url: string, body: object): Promise<Response> =>
  fetch(`${url}/registrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function query(databaseUrl: string, sql: string): Promise<readonly object[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

const rowsInPostgres = (databaseUrl: string) =>
  query(
    databaseUrl,
    `select module_code as code, confirmed from read."seat-availability" order by 1`,
  );

/** Counted from the events themselves, without the engine. */
const confirmedInStore = (databaseUrl: string) =>
  query(
    databaseUrl,
    `select key as code, (count(*) filter (where ce_type like '%.RegistrationCompleted'))::int4 as confirmed
     from refold.events where topic = 'module-events' group by key order by 1`,
  );

const rowsInRedis = (server: RedisServer) =>
  server.with(async (redis) => {
    const names = await redis.keys("refold:{seat-availability:g1:p*}:*");
    const texts = names.length === 0 ? [] : await redis.mget(names);
    const rows = texts.map((text) => JSON.parse(text ?? "{}") as Record<string, unknown>);
    return rows
      .map(({ moduleCode, confirmed }) => ({ code: moduleCode, confirmed }))
      .sort((a, b) => (String(a.code) < String(b.code) ? -1 : 1));
  });

async function told(url: string, metric: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new RegExp(`^refold_${metric}{consumer="seat-availability"} (\\d+)`, "m").exec(
    text,
  );
  return Number(found?.[1] ?? 0);
}

test("a process with REDIS_URL answers from Redis, and a command's writer finds what it wrote", async () => {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const databaseUrl = await serverOfTest();
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: server.url };
  const { url, refold } = await startedOn(environment);
  await offered(databaseUrl, "M1");
  await until("the module is on offer", async () => (await seats(url)).status === 200);
  await until("Redis answers", async () => {
    await seats(url);
    return (await told(url, "redis_answers_total")) > 0;
  });
  for (let student = 1; student <= 20; student += 1) {
    const position = await registered(url, student);
    if (student === 10) await server.with((redis) => redis.flushall());
    const { status, body } = await seats(url, { "refold-wait-for": position });
    expect(status).toBe(200);
    expect(body.confirmed).toBe(student);
  }
  // Killed at once, with whatever Redis didn't get, and started again.
  refold.child.kill("SIGKILL");
  await refold.ended;
  const again = await startedOn(environment);
  await until("Redis answers again", async () => {
    expect((await seats(again.url)).body.confirmed).toBe(20);
    return (await told(again.url, "redis_answers_total")) > 0;
  });
});

test("a process isn't started on a Redis that may throw rows away", async () => {
  const server = await startRedis({ settings: { "maxmemory-policy": "allkeys-lru" } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = await mkdtemp(join(tmpdir(), "refold-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const databaseUrl = await serverOfTest();
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: server.url, REFOLD_DATA: folder };
  const { code, err } = await new RefoldProcess(["start", "--port", "0"], environment).ended;
  expect(code).not.toBe(0);
  expect(err).toContain("maxmemory-policy allkeys-lru");
});

test("a process killed again and again leaves Redis with Postgres' rows, one by one", async () => {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const databaseUrl = await serverOfTest();
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: server.url };
  let student = 0;
  for (let round = 0; round < 3; round += 1) {
    const { url, refold } = await startedOn(environment);
    if (round === 0) for (const code of codes) await offered(databaseUrl, code);
    await until("all modules are on offer", async () => (await seats(url)).status === 200);
    const asked = Array.from({ length: 60 }, async () => {
      student += 1;
      const body = { moduleCode: codes[student % codes.length], studentId: `s${student}` };
      await postRegistration(url, body).catch(() => undefined);
    });
    await Promise.race([Promise.all(asked.slice(0, 20 + 10 * round)), refold.ended]);
    refold.child.kill("SIGKILL");
    await refold.ended;
    await Promise.all(asked);
  }
  await startedOn(environment);
  let found: readonly (readonly object[])[] = [];
  await until("Postgres and Redis have what the events say", async () => {
    found = [
      await confirmedInStore(databaseUrl),
      await rowsInPostgres(databaseUrl),
      await rowsInRedis(server),
    ];
    return new Set(found.map((rows) => JSON.stringify(rows))).size === 1;
  }).catch(() => undefined);
  const [expected, inPostgres, inRedis] = found;
  expect(expected).toHaveLength(codes.length);
  expect(inPostgres).toEqual(expected);
  expect(inRedis).toEqual(expected);
});
