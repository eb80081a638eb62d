import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { Embedded } from "../../bin/embedded/index.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { refold, temporaryFolder } from "../e2e/refold-process.ts";
import { writeSample } from "../import/sample.ts";
import { serverOfTest } from "../support/own-postgres.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";

async function redisOfTest(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const server = await startRedis({ settings });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

interface Seats {
  readonly code: string;
  readonly confirmed: number;
}

async function seatsInPostgres(url: string): Promise<Seats[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Seats>(
      `select module_code as code, confirmed from read."seat-availability" order by 1`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

const seatsInRedis = (server: RedisServer): Promise<Seats[]> =>
  server.with(async (redis) => {
    const names = await redis.keys("refold:{seat-availability:g1:p*}:*");
    const texts = names.length === 0 ? [] : await redis.mget(names);
    return texts
      .map((text) => JSON.parse(text ?? "{}") as { moduleCode: string; confirmed: number })
      .map(({ moduleCode: code, confirmed }) => ({ code, confirmed }))
      .sort((one, other) => (one.code < other.code ? -1 : 1));
  });

test("an import where nothing runs ends with Redis as Postgres has it", async () => {
  const server = await redisOfTest();
  const folder = await temporaryFolder();
  const modules = ["AAA-2013J", "BBB-2014B", "CCC-2014J"];
  await writeSample(folder, { modules, studentsPerModule: 60 });
  const databaseUrl = await serverOfTest();
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: server.url };
  const imported = await refold(["import", "oulad", folder], environment);
  expect(imported.code, imported.err).toBe(0);
  const expected = await seatsInPostgres(databaseUrl);
  expect(expected.map(({ code }) => code)).toEqual(modules);
  expect(expected.every(({ confirmed }) => confirmed > 0)).toBe(true);
  expect(await seatsInRedis(server)).toEqual(expected);
});

test("an import isn't begun on a Redis that may throw rows away", async () => {
  const server = await redisOfTest({ "maxmemory-policy": "allkeys-lru" });
  const folder = await temporaryFolder();
  await writeSample(folder, { modules: ["AAA-2013J"], studentsPerModule: 5 });
  const environment = { DATABASE_URL: await serverOfTest(), REDIS_URL: server.url };
  const { code, err } = await refold(["import", "oulad", folder], environment);
  expect(code).toBe(1);
  expect(err).toContain("maxmemory-policy allkeys-lru");
});

test("another domain's projections are kept in the Redis that its options name", async () => {
  const server = await redisOfTest();
  const folder = join(await temporaryFolder(), "data");
  await using domain = await Embedded.start({
    folder,
    redisUrl: server.url,
    projections: [seatAvailability],
    report: () => undefined,
  });
  const offer = { moduleCode: "M1", title: "A module", capacity: 7, feeCents: 0 };
  expect(
    await domain.execute(offerModule({ ...offer, opensAt: null, closesAt: null })),
  ).toMatchObject({ outcome: "accepted" });
  await domain.settled();
  await expect
    .poll(() => seatsInRedis(server), { timeout: 10_000 })
    .toEqual([{ code: "M1", confirmed: 0 }]);
  expect(await domain.row(seatAvailability, "M1")).toMatchObject({ capacity: 7 });
});

test("an address of Redis that can't be one is refused before anything is started", async () => {
  const folder = join(await temporaryFolder(), "data");
  const start = Embedded.start({ folder, redisUrl: "http://127.0.0.1:1" });
  await expect(start).rejects.toThrow(/redisUrl must be redis:.*not "http/);
});
