import { expect, onTestFinished, test } from "vitest";

import type { EmbeddedCapture } from "../../connectors/capture/index.ts";
import { PostgresCaptureSink } from "../../connectors/capture/index.ts";
import { defaultStreamShape } from "../../connectors/capture/routing/stream-shape.ts";
import { TransientError } from "../../engine/errors.ts";
import type { CapturePosition } from "../../engine/ports/capture-sink.ts";
import type { PartitionAppend } from "../../engine/ports/record-log.ts";
import { CapturedDatabase } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const told = { ...defaultStreamShape, transactions: "told", messages: {} } as const;

async function started(capture: EmbeddedCapture): Promise<EmbeddedCapture> {
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  return capture;
}

async function withTopics(...names: readonly string[]): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql("create table t (id int primary key)");
  for (const name of names) await database.log.ensureTopic({ name, partitions: 1 });
  return database;
}

async function confirmedBeyond(database: CapturedDatabase, lsn: string): Promise<boolean> {
  const { rows } = await database.pool.query<{ passed: boolean }>(
    `select confirmed_flush_lsn >= $2::pg_lsn as passed from pg_replication_slots
     where slot_name = $1`,
    [database.slot, lsn],
  );
  return rows[0]?.passed === true;
}

test("an idle capture's slot passes what other tables write, within seconds", async () => {
  const database = await withTopics();
  await database.sql("create table other (id int primary key)");
  const limits = { idleIntervalMs: 200, statusIntervalMs: 100 };
  await started(await database.capture(["public.t"], { limits }));
  for (let round = 0; round < 3; round++) {
    await database.sql(`insert into other values (${round})`);
    const { rows } = await database.pool.query<{ lsn: string }>(
      "select pg_current_wal_insert_lsn()::text as lsn",
    );
    const passes = expect.poll(() => confirmedBeyond(database, rows[0]?.lsn ?? ""), {
      timeout: 5_000,
    });
    await passes.toBe(true);
  }
});

test("heartbeats come by time, each followed by the action query", async () => {
  const topic = "__debezium-heartbeat.refold";
  const database = await withTopics(topic);
  await database.sql("create table pulse (n int)");
  const heartbeat = {
    intervalMs: 50,
    topicPrefix: "__debezium-heartbeat",
    actionQuery: "insert into public.pulse values (1)",
  };
  await started(await database.capture(["public.t"], { stream: { heartbeat } }));
  const records = await database.untilRecords(3);
  expect(new Set(records.map((record) => record.topic))).toEqual(new Set([topic]));
  expect(database.decode(records[0]?.key ?? null)).toEqual({ serverName: "refold" });
  const { rows } = await database.pool.query("select from public.pulse");
  expect(rows.length).toBeGreaterThanOrEqual(2);
});

test("a heartbeat whose action query fails ends the capture by name", async () => {
  const database = await withTopics("__debezium-heartbeat.refold");
  const heartbeat = {
    intervalMs: 20,
    topicPrefix: "__debezium-heartbeat",
    actionQuery: "insert into public.missing values (1)",
  };
  const capture = await started(await database.capture(["public.t"], { stream: { heartbeat } }));
  await expect(capture.done).rejects.toMatchObject({ code: "heartbeat-action" });
});

/** Publishes, and then says that it failed, once, after some publishes. */
class BreakingSink extends PostgresCaptureSink {
  #left = 5;

  override async publish(
    appends: readonly PartitionAppend[],
    upTo: CapturePosition,
  ): Promise<void> {
    await super.publish(appends, upTo);
    this.#left -= 1;
    if (this.#left === 0) throw new TransientError("broken", "The answer was lost.");
  }
}

test("a large transaction is told once, begin and end too, when a publish's answer is lost", async () => {
  const database = await withTopics("refold.transaction");
  const sink = new BreakingSink({ pool: database.pool, slot: database.slot });
  const reconnect = { initialMs: 1, maxMs: 10, attemptsMax: 5 };
  const limits = { batchRecordsMax: 10, receivedBytesMax: 2_048, reconnect };
  const options = { sink, stream: told, limits };
  await started(await database.capture(["public.t"], options));
  await database.sql("insert into t select generate_series(1, 300)");
  const records = await database.untilRecords(302);
  const values = records.map(({ value }) => database.decode(value));
  const ids = values.flatMap((value) => {
    const { after } = value as { after?: { id: number } };
    return after ? [after.id] : [];
  });
  expect(ids).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
  expect(values.filter((value) => "status" in (value as object))).toMatchObject([
    { status: "BEGIN", event_count: null },
    { status: "END", event_count: 300 },
  ]);
});

test("transactions that changed no captured table are untold where only those of changes are told", async () => {
  const database = await withTopics("refold.transaction", "events");
  await database.sql(createOutbox);
  const sink = new BreakingSink({ pool: database.pool, slot: database.slot });
  const reconnect = { initialMs: 1, maxMs: 10, attemptsMax: 5 };
  const limits = { batchRecordsMax: 10, receivedBytesMax: 2_048, reconnect };
  const stream = { ...defaultStreamShape, transactions: "of-changes" } as const;
  const outboxTables = ["public.outbox"];
  await started(await database.capture(["public.t"], { sink, stream, limits, outboxTables }));
  const events = Array.from({ length: 40 }, (_, at) =>
    insertOutbox({ position: at + 1, topic: "events", partition: 0, sequence: at + 1 }),
  );
  await database.sql(...events.slice(0, 3));
  await database.sql(
    `begin; ${events.slice(3).join(";")}; insert into t select generate_series(1, 100); commit`,
    "delete from t where id = 7",
  );
  const records = await database.untilRecords(40 + 100 + 2 + 4);
  expect(records.length).toBe(146);
  const values = records
    .filter(({ topic }) => topic === "refold.transaction")
    .map(({ value }) => database.decode(value));
  const tables = (count: number): object[] => [{ data_collection: "public.t", event_count: count }];
  expect(values).toMatchObject([
    { status: "BEGIN", event_count: null, data_collections: null },
    { status: "END", event_count: 100, data_collections: tables(100) },
    { status: "BEGIN", event_count: null },
    { status: "END", event_count: 1, data_collections: tables(1) },
  ]);
  const ids = values.map((value) => (value as { id: string }).id.split(":")[0]);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[1]).not.toBe(ids[2]);
});

test("a message outside of transactions is told once over restarts", async () => {
  const database = await withTopics("refold.message", "refold.transaction");
  const stream = { ...told, transactions: "untold" } as const;
  const emit = (text: string): string => `select pg_logical_emit_message(false, 'p', '${text}')`;
  const first = await started(await database.capture(["public.t"], { stream }));
  await database.sql(emit("one"));
  await database.untilRecords(1);
  await first[Symbol.asyncDispose]();
  await database.sql(emit("two"));
  await started(await database.capture(["public.t"], { stream }));
  await database.sql(emit("three"), "insert into t values (1)");
  const records = await database.untilRecords(4);
  const messages = records.filter((record) => record.topic === "refold.message");
  const contents = messages.map(({ value }) => {
    const { message } = database.decode(value) as { message: { content: string } };
    return Buffer.from(message.content, "base64").toString();
  });
  expect(contents).toEqual(["one", "two", "three"]);
});
