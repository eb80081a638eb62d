import { expect, onTestFinished, test } from "vitest";

import { republish, type Republished } from "../../connectors/capture/index.ts";
import { engineMigrations, migrate } from "../../connectors/postgres/index.ts";
import { migrations as captureMigrations } from "../../connectors/capture/index.ts";
import { PostgresReadModelStore } from "../../connectors/postgres/index.ts";
import { offset } from "../../engine/position.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { until } from "../engine/process.ts";
import { countersCodec, runBoard } from "../engine/runner-on-postgres.ts";
import { board, counters, history } from "../engine/seats.ts";
import { CapturedDatabase } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const outboxTables = ["public.outbox"];

/** A capture of an outbox whose one lane is `events`, partition 0. */
async function laneOf(rows: number): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql(createOutbox);
  await database.log.ensureTopic({ name: "events", partitions: 2 });
  const capture = await database.capture([], { outboxTables });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  for (let sequence = 1; sequence <= rows; sequence++) await insert(database, sequence);
  await database.untilRecords(rows);
  return database;
}

const insert = (database: CapturedDatabase, sequence: number): Promise<void> =>
  database.sql(insertOutbox({ position: sequence, topic: "events", partition: 0, sequence }));

const mend = (database: CapturedDatabase, from: number): Promise<Republished> => {
  const { url, slot } = database;
  return republish({ url, slot, outboxTables, topic: "events", partition: 0, from, pageRows: 3 });
};

async function sequences(database: CapturedDatabase): Promise<number[]> {
  return (await database.records()).map(({ sequence }) => Number(sequence));
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1);

const deleteBatches = (database: CapturedDatabase, from: number, to: number): Promise<void> =>
  database.sql(
    `delete from refold.log_batches b using refold.log_topics t
     where t.topic_number = b.topic_number and name = 'events'
       and base_offset >= ${from} and base_offset < ${to}`,
  );

test("a lane whose records were deleted is whole again, and the capture goes on with it", async () => {
  const database = await laneOf(10);
  await deleteBatches(database, 3, 6);
  expect(await sequences(database)).toEqual([1, 2, 3, 7, 8, 9, 10]);
  const done = await mend(database, 4);
  expect(done).toMatchObject({ skipped: { from: 6, to: 10 }, to: 10, records: 7 });
  expect(await sequences(database)).toEqual(upTo(10));
  await insert(database, 11);
  await until("the next event", async () => (await sequences(database)).length === 11, 5_000);
  expect(await sequences(database)).toEqual(upTo(11));
});

test("readers skip the range wherever they stand, and read from a time as if it weren't there", async () => {
  const database = await laneOf(6);
  await mend(database, 3);
  const signal = new AbortController().signal;
  for (const from of [2, 4, 6]) {
    const read: number[] = [];
    const wanted = new Map([[0, offset(from)]]);
    for await (const fetch of database.log.read({
      topic: "events",
      from: wanted,
      until: "end",
      signal,
    })) {
      read.push(...fetch.partitions.map(({ nextOffset }) => Number(nextOffset)));
    }
    expect(read.at(-1)).toBe(10);
  }
  const at = await database.log.offsetsAt("events", Date.UTC(2024, 1, 29, 12));
  expect(at.get(0)).toBe(0n);
  const past = await database.log.offsetsAt("events", Date.UTC(2024, 1, 29, 13));
  expect(past.get(0)).toBe(10n);
  const { rows } = await database.pool.query(
    `select from_offset, to_offset, count(*) as batches from refold.log_skipped s
     join refold.log_skipped_batches b on b.skipped = s.id group by s.id`,
  );
  expect(rows).toEqual([{ from_offset: 2n, to_offset: 6n, batches: 4n }]);
});

test("a batch that the range cuts in two keeps its first records, also when it is cut again", async () => {
  const database = await laneOf(0);
  const all = upTo(8).map((sequence) =>
    insertOutbox({ position: sequence, topic: "events", partition: 0, sequence }),
  );
  await database.sql(["begin", ...all, "commit"].join(";"));
  await database.untilRecords(8);
  await mend(database, 6);
  expect(await sequences(database)).toEqual(upTo(8));
  await mend(database, 3);
  expect(await sequences(database)).toEqual(upTo(8));
  await mend(database, 1);
  expect(await sequences(database)).toEqual(upTo(8));
});

test("a lane whose last records were deleted is mended without anything to skip", async () => {
  const database = await laneOf(5);
  await deleteBatches(database, 3, 5);
  // Its reader comes to the end all the same.
  expect(await sequences(database)).toEqual([1, 2, 3]);
  const done = await mend(database, 4);
  expect(done.skipped.from).toBe(done.skipped.to);
  expect(await sequences(database)).toEqual(upTo(5));
});

test("a lane, partition or sequence that isn't there is refused by name, and nothing changes", async () => {
  const database = await laneOf(2);
  const { url, slot } = database;
  const lane = { url, slot, outboxTables, topic: "events", partition: 0, from: 1 };
  await expect(republish({ ...lane, slot: "other" })).rejects.toMatchObject({
    code: "capture-unknown",
  });
  await expect(republish({ ...lane, topic: "other" })).rejects.toMatchObject({
    code: "lane-unknown",
  });
  await expect(republish({ ...lane, from: 3 })).rejects.toMatchObject({
    code: "sequence-unknown",
    message: expect.stringContaining("sequences 1 to 2") as unknown,
  });
  await database.sql(
    "delete from outbox where sequence = 1",
    insertOutbox({ position: 9, topic: "events", partition: 0, sequence: 4 }),
  );
  await expect(republish({ ...lane, from: 2 })).rejects.toMatchObject({ code: "lane-broken" });
  await database.untilRecords(3);
  expect(await sequences(database)).toEqual([1, 2, 4]);
});

test("a projection that a hole has halted goes on by itself once the lane is mended, exactly", async () => {
  const database = await CapturedDatabase.make();
  await migrate(database.pool, engineMigrations({ capture: captureMigrations }));
  await database.sql(createOutbox);
  await database.log.ensureTopic({ name: counters.name, partitions: counters.partitions });
  const capture = await database.capture([], { outboxTables });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  const codec = await countersCodec();
  const events = history(Array.from({ length: 60 }, (_, at) => (at * 7919) % 10_007));
  for (const [at, event] of events.entries()) {
    await database.sql(
      insertOutbox({
        position: at + 1,
        topic: counters.name,
        partition: 1,
        sequence: at + 1,
        key: (event.event as { code: string }).code,
        value: codec.encode(counters, event.type, event.event),
      }),
    );
  }
  await database.untilRecords(events.length);
  await database.sql("delete from refold.log_batches where base_offset between 20 and 24");
  await using running = await runBoard(database.pool);
  const reason = () => running.runner.reports().find(({ partition }) => partition === 1)?.reason;
  await until("it has halted", () => reason() !== undefined, 5_000);
  expect(String(reason())).toContain("21 to 25 are missing");
  const { url, slot } = database;
  await republish({ url, slot, outboxTables, topic: counters.name, partition: 1, from: 21 });
  const store = new PostgresReadModelStore({ pool: database.pool });
  const generation = await store.open(readModelOf(board));
  const expected = foldAll(board, events);
  const rows = async () => {
    const found = new Map<string, unknown>();
    for await (const page of store.scan(generation)) {
      for (const { key, row } of page) found.set(key, row);
    }
    return found;
  };
  await expect.poll(rows, { timeout: 5_000 }).toEqual(expected);
});
