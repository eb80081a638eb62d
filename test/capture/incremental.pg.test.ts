import { expect, onTestFinished, test } from "vitest";

import { CapturedDatabase } from "./captured-database.ts";

interface Told {
  readonly op: string;
  readonly after: { readonly id: number; readonly v: string } | null;
  readonly before: { readonly id: number } | null;
}

const signals = { table: "public.sig", chunkRows: 10, watermarks: "insert_insert" } as const;
const rows = 300;

/** A table with rows that a running capture has not told of, and a table for signals. */
async function unsnapshotted(): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table t (id int primary key, v text not null)",
    `insert into t select g, 'old' from generate_series(1, ${rows}) g`,
    "create table sig (id text primary key, type text not null, data text)",
  );
  await database.log.ensureTopic({ name: "refold.public.sig", partitions: 1 });
  return database;
}

async function start(database: CapturedDatabase): Promise<AsyncDisposable> {
  const capture = await database.capture(["public.t"], { signals, snapshot: { mode: "no_data" } });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  return capture;
}

const execute = `insert into sig values ('go', 'execute-snapshot',
  '{"data-collections": ["public.t"], "type": "incremental"}')`;

async function told(database: CapturedDatabase): Promise<Told[]> {
  const records = await database.records();
  return records
    .filter(({ topic, value }) => topic === "refold.public.t" && value !== null)
    .map(({ value }) => database.decode(value) as Told);
}

/** What a reader comes to that applies everything in order. */
async function state(database: CapturedDatabase): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const { after, before } of await told(database)) {
    if (after) found.set(after.id, after.v);
    else if (before) found.delete(before.id);
  }
  return found;
}

async function table(database: CapturedDatabase): Promise<Map<number, string>> {
  const { rows } = await database.pool.query<{ id: number; v: string }>(
    "select id, v from public.t",
  );
  return new Map(rows.map(({ id, v }) => [id, v]));
}

const settles = async (database: CapturedDatabase): Promise<void> => {
  const left = async (): Promise<unknown> =>
    (await database.pool.query("select incremental from refold.capture_position")).rows[0];
  await expect.poll(left, { timeout: 10_000 }).toEqual({ incremental: null });
  await expect.poll(() => state(database), { timeout: 10_000 }).toEqual(await table(database));
};

test("rows told while they change never stand over newer ones", async () => {
  const database = await unsnapshotted();
  await start(database);
  await database.sql(execute);
  for (let at = 0; at < 60; at++) {
    const id = (at * 37) % rows;
    await database.sql(`update t set v = 'new ${at}' where id = ${id}`);
    if (at % 10 === 0) await database.sql(`delete from t where id = ${id + 1}`);
  }
  await settles(database);
  expect((await told(database)).filter(({ op }) => op === "r").length).toBeGreaterThan(0);
});

test("a snapshot that was interrupted goes on at the chunk that was under way", async () => {
  const database = await unsnapshotted();
  const first = await start(database);
  await database.sql(execute);
  await database.untilRecords(50);
  await first[Symbol.asyncDispose]();
  const before = (await told(database)).filter(({ op }) => op === "r").length;
  expect(before).toBeLessThan(rows);
  await database.sql("update t set v = 'while stopped' where id in (1, 299)");
  await start(database);
  await settles(database);
  const ids = (await told(database)).filter(({ op }) => op === "r").map(({ after }) => after?.id);
  expect(new Set(ids).size).toBe(rows);
  // At most one chunk is read a second time.
  expect(ids.length).toBeLessThanOrEqual(rows + signals.chunkRows);
});
