import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { ask } from "../e2e/refold-instance.ts";
import { refold, RefoldProcess, until } from "../e2e/refold-process.ts";
import { startThrowAwayPostgres } from "../support/own-postgres.ts";
import { type Canaries, canaryOf, leaksIn, type Output } from "./canaries.ts";

const secrets = {
  postgres: canaryOf(),
  redis: canaryOf(),
  kafka: canaryOf(),
  registry: canaryOf(),
  connect: canaryOf(),
  provider: canaryOf(),
  password: canaryOf(),
  card: canaryOf(),
  webhook: Buffer.from(canaryOf()).toString("base64"),
};

/** Takes connections and says nothing that a client could use. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of HTTP that refuses, and tells whoever asks what it was asked with. */
const refusing = (status: number) =>
  portOf(
    createHttpServer((request, response) => {
      request.resume();
      response.statusCode = status;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ error_code: status, message: "no such user" }));
    }),
  );

const hangingUp = () => portOf(createServer((socket) => socket.destroy()));

async function databaseWithPassword(): Promise<string> {
  const { server, end } = await startThrowAwayPostgres();
  onTestFinished(end);
  await query(server.url, `create role app superuser login password '${secrets.postgres}'`);
  const url = new URL(server.url);
  url.username = "app";
  url.password = secrets.postgres;
  return url.href;
}

async function query(url: string, sql: string): Promise<readonly Record<string, string | null>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, string | null>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Everything that the run gives out. */
class Listener {
  readonly outputs: Output[] = [];
  readonly #processes: RefoldProcess[] = [];

  /** A process that runs on; what it prints is heard at the end. */
  process(args: readonly string[], environment: Readonly<Record<string, string>>): RefoldProcess {
    const started = new RefoldProcess(args, environment);
    this.#processes.push(started);
    onTestFinished(() => void started.child.kill("SIGKILL"));
    return started;
  }

  async command(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { code, out, err } = await refold(args, environment);
    this.outputs.push({ from: `refold ${args.join(" ")} (${code})`, bytes: out + err });
  }

  /** Body and headers of an answer. */
  async get(url: string, init?: RequestInit): Promise<number> {
    const response = await fetch(url, init);
    const bytes = Buffer.from(await response.arrayBuffer()).toString("latin1");
    const headers = JSON.stringify([...response.headers]);
    this.outputs.push({ from: `${init?.method ?? "GET"} ${url}`, bytes: headers + bytes });
    return response.status;
  }

  /** Statements that the server has seen last, and all that is kept of events and of the log. */
  async stored(url: string): Promise<void> {
    const kept = {
      statements: "select string_agg(query, ' ') as text from pg_stat_activity",
      events:
        "select string_agg(encode(e::text::bytea, 'escape'), ' ') as text from refold.events e",
      values: "select string_agg(encode(value, 'escape'), ' ') as text from refold.events",
      log: "select string_agg(encode(bytes, 'escape'), ' ') as text from refold.log_batches",
      letters: "select string_agg(l::text, ' ') as text from refold.dead_letters l",
      statuses: "select string_agg(s::text, ' ') as text from refold.task_status s",
    };
    for (const [from, sql] of Object.entries(kept)) {
      const [row] = await query(url, sql);
      this.outputs.push({ from, bytes: row?.["text"] ?? "" });
    }
  }

  all(): readonly Output[] {
    const printed = this.#processes.map(({ child, out, err }) => ({
      from: child.spawnargs.slice(2).join(" "),
      bytes: out + err,
    }));
    return [...this.outputs, ...printed];
  }
}

/** `refold users add` with the password on standard input, where no list of processes shows it. */
async function addUser(
  listener: Listener,
  about: { readonly name: string; readonly role: string },
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const args = ["users", "add", about.name, "--role", about.role, "--password-stdin"];
  const child = spawn(process.execPath, ["bin/refold.js", ...args], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let told = "";
  child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  child.stdin.end(`${secrets.password}\n`);
  await once(child, "close");
  expect(child.exitCode, told).toBe(0);
  listener.outputs.push({ from: `refold ${args.join(" ")}`, bytes: told });
}

interface Run {
  readonly listener: Listener;
  readonly environment: Readonly<Record<string, string>>;
}

async function started({ listener, environment }: Run): Promise<{
  readonly process: RefoldProcess;
  readonly http: string;
}> {
  const process = listener.process(["start", "--port", "0"], environment);
  const [, http = ""] = await process.printed(/listens on (http:\S+)/, 90_000);
  return { process, http };
}

const json = (body: unknown, token?: string): RequestInit => ({
  method: "POST",
  headers: {
    "content-type": "application/json",
    "idempotency-key": `"${randomUUID()}"`,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  },
  body: JSON.stringify(body),
});

/** A session's token; the answer is the one place that may have it. */
async function signedIn(http: string, claim: object): Promise<string> {
  const { status, body } = await ask(
    `${http}/sessions`,
    json({ ...claim, password: secrets.password }),
  );
  expect(status, JSON.stringify(body)).toBe(201);
  return String(body["token"]);
}

/** Reads everything that can be asked for without a body, as the document has it. */
async function readAll(listener: Listener, http: string, token: string): Promise<void> {
  const document = (await (await fetch(`${http}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, object>>;
  };
  const headers = { authorization: `Bearer ${token}` };
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!("get" in methods) || /updates|live|events$/.test(path)) continue;
    const url = `${http}${path.replaceAll(/\{\w+\}/g, "CS-101")}`;
    await listener.get(url, { headers });
    await listener.get(url);
  }
}

/** Wrong and hostile uses, whose answers tell what was wrong without repeating it. */
async function misuse(listener: Listener, http: string, token: string): Promise<void> {
  const wrong = { studentId: "s-1", password: `${secrets.password}x`, card: secrets.card };
  await listener.get(`${http}/sessions`, json(wrong));
  await listener.get(`${http}/sessions`, json({ studentId: "nobody", password: secrets.password }));
  await listener.get(`${http}/sessions`, json({ studentId: 7, password: [secrets.password] }));
  await listener.get(`${http}/payments/none/card`, json({ token: secrets.card }, token));
  await listener.get(`${http}/payments/none/card`, json({ token: { x: secrets.card } }, token));
  await listener.get(`${http}/modules`, { headers: { authorization: `Bearer ${token}x` } });
  await listener.get(`${http}/modules`, {
    headers: { authorization: `Basic ${secrets.password}` },
  });
  await listener.get(`${http}/ws/live`, { headers: { cookie: `session=${token}` } });
  await listener.get(`${http}/payments/webhooks/webhook`, {
    ...json({ type: "payment.confirmed" }),
    headers: { "content-type": "application/json", "webhook-signature": `v1,${secrets.webhook}` },
  });
}

/** Registers for a module that costs, and pays by a card that the provider never answers for. */
async function pay(listener: Listener, http: string, token: string): Promise<void> {
  // On a machine that has much to do sessions may be stale for a moment: then it is asked again.
  const later = async <Answer>(ask: () => Promise<Answer>, statusOf: (one: Answer) => number) =>
    until(
      async () => {
        const answer = await ask();
        return statusOf(answer) === 503 ? undefined : answer;
      },
      60_000,
      () => "sessions that are known",
    );
  const order = json({ moduleCode: "CS-101", studentId: "s-1" }, token);
  const { body, status } = await later(
    () => ask(`${http}/registrations`, order),
    (answer) => answer.status,
  );
  expect(status, JSON.stringify(body)).toBe(201);
  const card = `${http}/payments/${String(body["paymentId"])}/card`;
  const byCard = json({ token: secrets.card }, token);
  expect(
    await later(
      () => listener.get(card, byCard),
      (answer) => answer,
    ),
  ).toBe(202);
}

async function commands({ listener, environment }: Run): Promise<void> {
  const away = {
    ...environment,
    KAFKA_BROKERS: `127.0.0.1:${await hangingUp()}`,
    KAFKA_USERNAME: "ann",
    KAFKA_PASSWORD: secrets.kafka,
    KAFKA_SASL_MECHANISM: "scram-sha-512",
    SCHEMA_REGISTRY_URL: `http://ann:${secrets.registry}@127.0.0.1:${await refusing(401)}`,
    CONNECT_URL: `http://ann:${secrets.connect}@127.0.0.1:${await refusing(500)}`,
  };
  const wrong = new URL(environment["DATABASE_URL"] ?? "");
  wrong.password = `${secrets.postgres}x`;
  await Promise.all([
    listener.command(["doctor", "--json"], away),
    listener.command(["connectors", "status"], away),
    listener.command(["status"], { ...environment, DATABASE_URL: wrong.href }),
    listener.command(["status", "--database-url", `${wrong.href}&&`], environment),
    listener.command(["start"], {
      ...environment,
      REFOLD_PAYMENTS_SECRET: `whsec ${secrets.webhook}`,
    }),
    listener.command(["worker"], {
      ...environment,
      KAFKA_BROKERS: "x",
      KAFKA_PASSWORD: secrets.kafka,
    }),
  ]);
  const asked = [
    ["doctor"],
    ["status", "--json"],
    ["trace", "student:s-1"],
    ["effects", "list"],
    ["log", "read", "payment-events"],
    ["log", "read", "session-events"],
    ["dlq", "list"],
    ["users", "list"],
    ["keys", "list"],
    ["roles", "sql"],
    ["--help"],
    ["start", "--help"],
  ];
  // Some at once: most of their time is their start.
  for (let at = 0; at < asked.length; at += 4) {
    const next = asked.slice(at, at + 4);
    await Promise.all(next.map((args) => listener.command(args, environment)));
  }
}

/** Some thirty processes are started, one after the other where one needs what another has done. */
const journeyMs = 300_000;

test(
  "no secret stands in what is printed, answered, measured, traced or recorded",
  { timeout: journeyMs },
  async () => {
    const listener = new Listener();
    const environment = {
      DATABASE_URL: await databaseWithPassword(),
      REDIS_URL: `redis://ann:${secrets.redis}@127.0.0.1:${await hangingUp()}`,
      REFOLD_AUTH: "on",
      REFOLD_PAYMENTS: "webhook",
      REFOLD_PAYMENTS_URL: `http://ann:${secrets.provider}@127.0.0.1:${await refusing(503)}`,
      REFOLD_PAYMENTS_SECRET: `whsec_${secrets.webhook}`,
    };
    const run = { listener, environment };
    const first = await started(run);
    await addUser(listener, { name: "root", role: "admin" }, environment);
    await addUser(listener, { name: "s-1", role: "student" }, environment);
    await query(
      environment.DATABASE_URL,
      "insert into catalogue.modules (code, title, capacity, fee_cents) values ('CS-101', 'P', 2, 100)",
    );
    await until(
      async () =>
        (await fetch(`${first.http}/modules/CS-101/availability`)).ok ? true : undefined,
      30_000,
      () => "the module",
    );
    const student = await signedIn(first.http, { studentId: "s-1" });
    const admin = await signedIn(first.http, { user: "root" });
    await pay(listener, first.http, student);
    await misuse(listener, first.http, student);
    await readAll(listener, first.http, admin);
    first.process.child.kill("SIGKILL");
    await first.process.ended;
    const second = await started(run);
    await readAll(listener, second.http, admin);
    await commands(run);
    await listener.stored(environment.DATABASE_URL);
    second.process.child.kill("SIGTERM");
    await second.process.ended;
    const keys = await query(
      environment.DATABASE_URL,
      "select private_jwk ->> 'd' as d from refold.signing_keys",
    );
    const hashes = await query(
      environment.DATABASE_URL,
      "select password_hash as h from refold.users",
    );
    const canaries: Canaries = {
      ...secrets,
      "student's token": student,
      "operator's token": admin,
      "token's signature": student.split(".")[2] ?? "",
      "signing key": String(keys[0]?.["d"]),
      "password hash": String(hashes[0]?.["h"]).split("$").at(-1) ?? "",
    };
    expect(keys.length).toBeGreaterThan(0);
    expect(leaksIn(listener.all(), canaries)).toEqual([]);
  },
);

test("a secret that is printed, answered or stored is found, in each form", async () => {
  const listener = new Listener();
  const secret = canaryOf();
  await listener.command(["doctor", "--acl", "--principal", secret], {});
  const basic = Buffer.from(`ann:${secret}`).toString("base64");
  listener.outputs.push({ from: "header", bytes: `Basic ${basic}` });
  listener.outputs.push({ from: "dump", bytes: Buffer.from(`x${secret}y`) });
  listener.outputs.push({ from: "hex", bytes: Buffer.from(secret).toString("hex") });
  const found = leaksIn(listener.all(), { secret }).map(({ from, form }) => `${form} in ${from}`);
  expect(found).toEqual([
    expect.stringContaining("plain in refold doctor"),
    expect.stringContaining("URL-encoded in refold doctor"),
    "base64 in header",
    "plain in dump",
    "URL-encoded in dump",
    "hex in hex",
  ]);
});
