import { expect, onTestFinished, test } from "vitest";

import { PostgresCaptureSink } from "../../connectors/capture/index.ts";
import { FatalError } from "../../engine/errors.ts";
import { CapturedDatabase } from "./captured-database.ts";

const limits = { snapshotRowsMax: 20, idleIntervalMs: 100 };
const rows = 400;
const tables = ["public.t", "public.late", "public.later"];

interface Row {
  readonly a: number;
  readonly b: string;
  readonly v: string;
}

interface Told {
  readonly op: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** A capture of one table, and two more with rows that it doesn't know. */
async function captured(): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table t (a int primary key)",
    "insert into t values (1)",
    "create table late (a int, b text, v text not null, primary key (b, a))",
    `insert into late select g, 'k' || g % 7, 'old' from generate_series(1, ${rows}) g`,
    "create table later (a int primary key, b text not null, v text not null)",
    `insert into later select g, 'b', 'old' from generate_series(1, ${rows}) g`,
  );
  const before = await start(database, ["public.t"]);
  await before[Symbol.asyncDispose]();
  return database;
}

async function start(
  database: CapturedDatabase,
  names: readonly string[],
  sink = new PostgresCaptureSink({ pool: database.pool, slot: database.slot }),
): Promise<AsyncDisposable> {
  const capture = await database.capture(names, { limits, sink });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  return capture;
}

async function told(database: CapturedDatabase, table: string): Promise<Told[]> {
  const records = await database.records();
  return records
    .filter(({ topic, value }) => topic === `refold.${table}` && value !== null)
    .map(({ value }) => database.decode(value) as Told);
}

/** What a reader comes to that applies everything in order, by key. */
async function state(database: CapturedDatabase, table: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const key = ({ a, b }: Row): string => (table === "public.late" ? `${a} ${b}` : `${a}`);
  for (const { after, before } of await told(database, table)) {
    if (after) found.set(key(after), after.v);
    else if (before) found.delete(key(before));
  }
  return found;
}

async function inTable(database: CapturedDatabase, table: string): Promise<Map<string, string>> {
  const key = table === "public.late" ? "a || ' ' || b" : "a::text";
  const { rows } = await database.pool.query<{ k: string; v: string }>(
    `select ${key} as k, v from ${table}`,
  );
  return new Map(rows.map(({ k, v }) => [k, v]));
}

const left = async (database: CapturedDatabase): Promise<unknown> =>
  (await database.pool.query("select incremental from refold.capture_position")).rows[0];

async function converges(database: CapturedDatabase): Promise<void> {
  await expect.poll(() => left(database), { timeout: 30_000 }).toEqual({ incremental: null });
  for (const table of ["public.late", "public.later"]) {
    const wanted = await inTable(database, table);
    await expect.poll(() => state(database, table), { timeout: 10_000 }).toEqual(wanted);
  }
}

/** Updates, removals, new rows and new keys all over both tables. */
async function change(database: CapturedDatabase, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at++) {
    const a = (at * 37) % rows;
    await database.sql(
      `begin; update late set v = 'new ${at}' where a = ${a};
       update later set v = 'new ${at}' where a = ${a};
       delete from late where a = ${a + 1};
       delete from later where a = ${a + 2};
       update late set b = 'z' || a where a = ${a + 3};
       update later set a = ${1_000 + at} where a = ${a + 4};
       insert into late values (${2_000 + at}, 'a', 'more'); commit`,
    );
  }
}

test("tables with rows come to a capture that goes on, while their rows change", async () => {
  const database = await captured();
  await start(database, tables);
  await change(database, 0, 60);
  await converges(database);
  const snapshot = (await told(database, "public.late")).filter(({ op }) => op === "r");
  expect(snapshot.length).toBeGreaterThan(rows / 2);
  expect(snapshot.every(({ after }) => after !== null)).toBe(true);
});

test("a capture that stops in the middle of an added table goes on at its next rows", async () => {
  const database = await captured();
  const first = await start(database, tables);
  await database.untilRecords(100);
  await first[Symbol.asyncDispose]();
  const before = (await told(database, "public.late")).length;
  expect(before).toBeLessThan(rows);
  await change(database, 0, 10);
  const second = await start(database, tables);
  await change(database, 10, 20);
  await second[Symbol.asyncDispose]();
  await start(database, tables);
  await converges(database);
  const snapshot = (await told(database, "public.late")).filter(({ op }) => op === "r");
  const keys = new Set(snapshot.map(({ after }) => `${after?.a} ${after?.b}`));
  // At each stop the part that was under way is read again, and none before it.
  expect(snapshot.length - keys.size).toBeLessThanOrEqual(2 * limits.snapshotRowsMax);
});

test.for(["publish", "setTables"] as const)(
  "a crash at %s, between publication and knowledge, leaves no row out",
  async (step) => {
    const database = await captured();
    const sink = new PostgresCaptureSink({ pool: database.pool, slot: database.slot });
    const crash = new FatalError("pulled", "The plug was pulled.", "Put it back.");
    sink[step] = () => Promise.reject(crash);
    await expect(start(database, tables, sink)).rejects.toBe(crash);
    await change(database, 0, 5);
    await start(database, tables);
    await converges(database);
    const ids = (await told(database, "public.later")).filter(({ op }) => op === "r");
    expect(new Set(ids.map(({ after }) => after?.a)).size).toBe(ids.length);
  },
);

test("an added table with rows and without a primary key is refused by name", async () => {
  const database = await captured();
  await database.sql("create table bare (a int not null unique)", "insert into bare values (1)");
  await expect(start(database, ["public.t", "public.late", "public.bare"])).rejects.toMatchObject({
    code: "table-added",
    message: expect.stringMatching(/: public\.bare has rows and no primary key/) as unknown,
  });
  expect(await told(database, "public.late")).toEqual([]);
});

test("a table that was captured before is refused by name, with rows or without", async () => {
  const database = await captured();
  const first = await start(database, tables);
  await database.untilRecords(1 + 2 * rows);
  await first[Symbol.asyncDispose]();
  await (await start(database, ["public.t"]))[Symbol.asyncDispose]();
  await database.sql("delete from later");
  await expect(start(database, tables)).rejects.toMatchObject({
    code: "table-added",
    message: expect.stringContaining("public.later was captured before") as unknown,
  });
});

test("an added table that is left out and dropped before it was told is passed over", async () => {
  const database = await captured();
  const capture = await start(database, tables);
  await database.untilRecords(100);
  await capture[Symbol.asyncDispose]();
  await database.sql("alter publication refold drop table late", "drop table late");
  await start(database, ["public.t", "public.later"]);
  await expect.poll(() => left(database), { timeout: 10_000 }).toEqual({ incremental: null });
  expect(await state(database, "public.later")).toEqual(await inTable(database, "public.later"));
});

test("an added outbox table with rows is refused by name", async () => {
  const database = await captured();
  await database.sql("create table box (topic text)", "insert into box values ('x')");
  const capture = await database.capture(["public.t"], { outboxTables: ["public.box"] });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await expect(capture.start(new AbortController().signal)).rejects.toMatchObject({
    code: "table-added",
    message: expect.stringContaining("public.box is an outbox table") as unknown,
  });
});

test("an empty table comes to a capture that goes on, and its first row is told", async () => {
  const database = await captured();
  await database.sql("create table bare (a int)");
  await start(database, ["public.t", "public.bare"]);
  await database.sql("insert into bare values (1)");
  const topics = (await database.untilRecords(2)).map(({ topic }) => topic);
  expect(topics.sort()).toEqual(["refold.public.bare", "refold.public.t"]);
});
