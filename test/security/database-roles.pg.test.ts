import { randomBytes } from "node:crypto";

import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { type DatabaseRole, databaseRoles } from "../../bin/database-roles/grants.ts";
import { ask, availability, register } from "../e2e/refold-instance.ts";
import { refold, RefoldProcess, until } from "../e2e/refold-process.ts";
import { startThrowAwayPostgres } from "../support/own-postgres.ts";

const prefix = "least_";
const password = randomBytes(12).toString("hex");
const insufficientPrivilege = { code: "42501" };

let end: () => Promise<void>;
let owner: string;

/** The database's URL for one of the roles. */
function urlFor(role: DatabaseRole): string {
  const url = new URL(owner);
  url.username = prefix + role;
  url.password = password;
  return url.href;
}

async function on<Answer>(url: string, work: (client: Client) => Promise<Answer>): Promise<Answer> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const run = (url: string, sql: string): Promise<unknown> =>
  on(url, (client) => client.query(sql).then(({ rows }) => rows as unknown));

/** A process under its role's name. */
async function processOf(role: DatabaseRole, args: readonly string[]) {
  const started = new RefoldProcess(args, {
    DATABASE_URL: urlFor(role),
    REFOLD_AUTH: "off",
    // Payments are asked for, performed and settled by themselves.
    REFOLD_SANDBOX_CARD: "tok_ok",
  });
  onTestFinished(async () => {
    started.child.kill("SIGKILL");
    await started.ended;
  });
  const [, url = ""] = await started.printed(/(http:\/\/127\.0\.0\.1:\d+)/, 90_000);
  return { process: started, url };
}

const ready = (url: string): Promise<boolean> =>
  until(
    async () => ((await ask(`${url}/readyz`)).status === 200 ? true : undefined),
    60_000,
    () => `${url} ready`,
  );

const removed = `select to_regclass('read."seat-availability__g1"') is null as gone`;

beforeAll(async () => {
  const started = await startThrowAwayPostgres({ max_connections: "120" });
  end = started.end;
  owner = started.server.url;
  const applied = await refold(["roles", "apply", "--prefix", prefix], { DATABASE_URL: owner });
  expect(applied).toMatchObject({ code: 0, err: "" });
  for (const role of databaseRoles) {
    await run(owner, `alter role ${prefix}${role} password '${password}'`);
  }
});

afterAll(() => end());

test("each process does its work under its own role", { timeout: 300_000 }, async () => {
  const capture = await processOf("capture", ["capture"]);
  const worker = await processOf("projector", ["worker", "--audit-rest", "1"]);
  const api = await processOf("api", ["api", "--port", "0"]);
  await run(
    owner,
    "insert into catalogue.modules (code, title, capacity, fee_cents) values ('CS-101', 'P', 2, 4200)",
  );
  for (const { url } of [capture, worker, api]) await ready(url);
  const registered = await until(
    async () => {
      const answer = await register(api.url, "CS-101", "s-1");
      return answer.status === 201 ? answer : undefined;
    },
    60_000,
    () => "a registration",
  );
  const seen = await until(
    async () => {
      const { body } = await availability(api.url, "CS-101", registered.position);
      return body["confirmed"] === 1 ? body : undefined;
    },
    60_000,
    () => "a seat that is paid for",
  );
  expect(seen).toMatchObject({ capacity: 2, held: 0, confirmed: 1 });
  const rows = 'select confirmed from read."seat-availability"';
  expect(await run(urlFor("reader"), rows)).toEqual([{ confirmed: 1 }]);
  const rebuilt = await refold(["rebuild", "seat-availability", "--yes", "--keep", "0s"], {
    DATABASE_URL: urlFor("rebuilder"),
  });
  expect(rebuilt).toMatchObject({ code: 0 });
  expect(await run(urlFor("reader"), rows)).toEqual([{ confirmed: 1 }]);
  // The worker drops what served before, which it has made itself, and the rebuilder's is its own.
  await until(
    async () =>
      JSON.stringify(await run(owner, removed)) === '[{"gone":true}]' ? true : undefined,
    60_000,
    () => "the table of the generation before is dropped",
  );
  for (const one of [capture, worker, api]) {
    expect(one.process.err).toBe("");
    one.process.child.kill("SIGTERM");
    expect(await one.process.ended).toMatchObject({ code: 0 });
  }
});

describe("what a role has no right to", () => {
  const everyone = databaseRoles;
  const forbidden: readonly (readonly [string, string, readonly DatabaseRole[]])[] = [
    ["changes an event", "update refold.events set ce_type = 'x'", everyone],
    ["deletes an event", "delete from refold.events", everyone],
    ["writes an event past the functions", "insert into refold.event_tags values (1, 1)", everyone],
    ["moves a lane", "update refold.lanes set last_sequence = 0", everyone],
    ["appends", "select refold.append", ["reader", "rebuilder", "capture"]],
    ["publishes", "select refold.capture_publish", ["reader", "api", "projector", "rebuilder"]],
    ["alters a table", "alter table refold.events add column x int", everyone],
    ["drops a table", "drop table refold.lanes", everyone],
    ["makes a table among the engine's", "create table refold.mine (x int)", everyone],
    ["makes a schema", "create schema mine", everyone],
    ["makes a role", "create role mine", everyone],
    [
      "reads a signing key",
      "select private_jwk from refold.signing_keys",
      ["reader", "projector", "rebuilder", "capture"],
    ],
    [
      "reads a user's password hash",
      "select password_hash from refold.users",
      ["reader", "projector", "rebuilder", "capture"],
    ],
    [
      "reads a student's password hash",
      "select password_hash from catalogue.students",
      ["reader", "projector", "rebuilder", "capture"],
    ],
    ["makes a user", "insert into refold.users values ('x', 'admin', 'x')", everyone],
    ["changes the catalogue", "update catalogue.modules set capacity = 9", everyone],
    [
      "changes a read model",
      `update read."registrations__g1" set partition = 0`,
      ["reader", "api", "capture"],
    ],
    [
      "reads answers that clients were given",
      "select * from refold.idempotency_keys",
      ["reader", "rebuilder", "capture"],
    ],
    ["reads the log of others", "select * from refold.log_batches", ["reader"]],
  ];

  test.for(forbidden)("nobody without it %s", async ([, sql, roles]) => {
    const statement = await callOf(sql);
    for (const role of roles) {
      await expect(run(urlFor(role), statement), role).rejects.toMatchObject(insufficientPrivilege);
    }
  });
});

/** A call with as many nulls as the function has arguments. */
async function callOf(sql: string): Promise<string> {
  const [, name] = /^select refold\.(\w+)$/.exec(sql) ?? [];
  if (name === undefined) return sql;
  const found = await run(
    owner,
    `select array_agg(format('null::%s', t::regtype) order by n) as nulls from pg_proc,
       unnest(proargtypes) with ordinality as x (t, n)
     where pronamespace = 'refold'::regnamespace and proname = '${name}' group by pg_proc.oid`,
  );
  const [{ nulls }] = found as [{ nulls: readonly string[] }];
  return `select * from refold.${name}(${nulls.join(", ")})`;
}
