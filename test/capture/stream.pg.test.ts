import { expect, onTestFinished, test } from "vitest";

import type { EmbeddedCapture } from "../../connectors/capture/index.ts";
import { FencedError } from "../../engine/errors.ts";
import { CapturedDatabase } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

async function started(capture: EmbeddedCapture): Promise<EmbeddedCapture> {
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  return capture;
}

test("rows that were there and rows that come are published in order", async () => {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table public.t (id int primary key, v text not null)",
    "insert into t values (1, 'before')",
  );
  await started(await database.capture(["public.t"]));
  await database.sql("insert into t values (2, 'after')", "update t set v = 'x' where id = 1");
  const records = await database.untilRecords(3);
  const told = records.map(({ value }) => database.decode(value) as { op: string; after: unknown });
  expect(told.map(({ op, after }) => [op, after])).toEqual([
    ["r", { id: 1, v: "before" }],
    ["c", { id: 2, v: "after" }],
    ["u", { id: 1, v: "x" }],
  ]);
});

test("outbox rows become the records that they hold, those from before the slot too", async () => {
  const database = await CapturedDatabase.make();
  const topic = "events";
  await database.log.ensureTopic({ name: topic, partitions: 2 });
  const row = (sequence: number): string =>
    insertOutbox({ position: 10 - sequence, topic, partition: 1, sequence });
  await database.sql(createOutbox, row(2), row(1));
  await started(await database.capture([], { outboxTables: ["public.outbox"] }));
  await database.sql(row(3), "update outbox set key = 'other'", "delete from outbox");
  await database.sql(row(4));
  const records = await database.untilRecords(4);
  expect(records.map(({ sequence }) => sequence)).toEqual(["1", "2", "3", "4"]);
  expect(records.map(({ partition }) => partition)).toEqual([1, 1, 1, 1]);
  expect(records[2]).toMatchObject({
    timestampMs: Date.UTC(2024, 1, 29, 12, 0, 0, 120),
    key: Buffer.from("k"),
    value: Buffer.from("00ff10", "hex"),
  });
  expect(records[2]?.headers).toEqual({
    ce_sequence: "3",
    ce_incarnation: "life",
    ce_id: "e7",
    ce_type: "refold.test.Happened",
    ce_source: "/refold/test",
    ce_time: "2024-02-29T12:00:00.000Z",
    ce_subject: "k",
    ce_specversion: "1.0",
    "content-type": "application/avro",
    ce_position: "1",
    ce_correlationid: "c",
  });
});

test("a transaction larger than a batch goes out whole and in order", async () => {
  const database = await CapturedDatabase.make();
  await database.sql("create table t (id int primary key)");
  const limits = { batchRecordsMax: 10, receivedBytesMax: 2_048 };
  await started(await database.capture(["public.t"], { limits }));
  await database.sql("insert into t select generate_series(1, 500)");
  const records = await database.untilRecords(500);
  const ids = records.map(
    ({ value }) => (database.decode(value) as { after: { id: number } }).after.id,
  );
  expect(ids).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
});

test("goes on where it was after its connections are ended", async () => {
  const database = await CapturedDatabase.make();
  await database.sql("create table t (id int primary key)");
  await started(await database.capture(["public.t"]));
  await database.sql("insert into t values (1)");
  await database.untilRecords(1);
  await database.sql(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name like 'refold capture%'`,
    "insert into t values (2), (3)",
  );
  const records = await database.untilRecords(3);
  expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
});

test("a capture whose sink was taken over publishes no more", async () => {
  const database = await CapturedDatabase.make();
  await database.sql("create table t (id int primary key)");
  const capture = await started(await database.capture(["public.t"]));
  await database.sql("update refold.capture_position set epoch = epoch + 1");
  await database.sql("insert into t values (1)");
  await expect(capture.done).rejects.toBeInstanceOf(FencedError);
  expect(await database.records()).toEqual([]);
});

test("a row that is stored out of line and unchanged is told by its placeholder", async () => {
  const database = await CapturedDatabase.make();
  await database.sql(
    "create table t (id int primary key, n int not null, big text not null)",
    "alter table t alter big set storage external",
  );
  await started(await database.capture(["public.t"]));
  await database.sql("insert into t values (1, 1, repeat('x', 9000))", "update t set n = 2");
  const [, update] = await database.untilRecords(2);
  expect(database.decode(update?.value ?? null)).toMatchObject({
    after: { id: 1, n: 2, big: "__debezium_unavailable_value" },
  });
});

test("a row keeps the key that its table had then, though the catalogue is ahead", async () => {
  const database = await CapturedDatabase.make();
  await database.sql("create table public.t (id int primary key, k int not null)");
  const first = await started(await database.capture(["public.t"]));
  await first[Symbol.asyncDispose]();
  await database.sql(
    "insert into t values (1, 10)",
    "alter table t drop constraint t_pkey, add primary key (k)",
    "insert into t values (2, 20)",
  );
  await started(await database.capture(["public.t"]));
  const records = await database.untilRecords(2);
  expect(records.map(({ key }) => database.decode(key))).toEqual([{ id: 1 }, { k: 20 }]);
});
