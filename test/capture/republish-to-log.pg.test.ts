import { expect, onTestFinished, test } from "vitest";

import {
  migrations as captureMigrations,
  republishToLog,
  type RepublishToLogOptions,
} from "../../connectors/capture/index.ts";
import {
  engineMigrations,
  migrate,
  PostgresSkippedOffsets,
} from "../../connectors/postgres/index.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { realClock } from "../engine/process.ts";
import { fromStart } from "../record-log/records.ts";
import { CapturedDatabase } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const lane = { topic: "events", partition: 0 } as const;

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** A store with one lane, and a log outside of its database with some of the lane's records. */
async function stage(stored: number, inLog: readonly number[]) {
  const database = await CapturedDatabase.make();
  await migrate(database.pool, engineMigrations({ capture: captureMigrations }));
  await database.sql(createOutbox);
  const store = (sequence: number) =>
    database.sql(insertOutbox({ ...lane, position: sequence, sequence }));
  for (const sequence of upTo(stored)) await store(sequence);
  const memory = new MemoryRecordLog({ batchRecordsMax: 3 });
  onTestFinished(() => memory[Symbol.asyncDispose]());
  await memory.ensureTopic({ name: "events", partitions: 1 });
  const publish = (...sequences: readonly number[]) =>
    memory.append([{ ...lane, records: sequences.map(recordOf) }]);
  await publish(...inLog);
  const skipped = new PostgresSkippedOffsets({ pool: database.pool });
  const reader = () => new SkippingRecordLog({ log: memory, skipped, clock: realClock });
  const mend = (from: number, options: Partial<RepublishToLogOptions> = {}) =>
    republishToLog({
      url: database.url,
      log: reader(),
      outboxTables: ["public.outbox"],
      ...lane,
      from,
      pageRows: 4,
      ...options,
    });
  return { database, memory, publish, store, reader, mend };
}

const recordOf = (sequence: number) => ({
  timestampMs: Date.UTC(2024, 1, 29, 12, 0, 0, 120),
  key: null,
  value: null,
  headers: [{ name: "ce_sequence", value: Buffer.from(String(sequence)) }],
});

async function sequences(log: RecordLog): Promise<number[]> {
  const cursor = new RecordCursor({ verify: "checksum" });
  const read: number[] = [];
  const options = { topic: "events", from: fromStart(0), until: "end" } as const;
  for await (const fetch of log.read({ ...options, signal: AbortSignal.timeout(5_000) })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) read.push(cursor.headerNumber("ce_sequence"));
    }
  }
  return read;
}

/** The log, before whose appends somebody else publishes, as often as told. */
function disturbed(log: RecordLog, by: () => Promise<unknown>, times: number): RecordLog {
  let left = times;
  return {
    ensureTopic: (spec) => log.ensureTopic(spec),
    topics: () => log.topics(),
    read: (options) => log.read(options),
    bounds: (topic) => log.bounds(topic),
    offsetsAt: (topic, timestampMs) => log.offsetsAt(topic, timestampMs),
    append: async (appends) => {
      left -= 1;
      if (left >= 0) await by();
      return log.append(appends);
    },
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}

test("a lane with a hole reads whole, and again after its next hole", async () => {
  const { mend, publish, store, reader } = await stage(10, [1, 2, 3, 7, 8, 9, 10]);
  const done = await mend(4);
  expect(done).toEqual({ skipped: { ...lane, from: 3, to: 7 }, to: 10, records: 7 });
  expect(await sequences(reader())).toEqual(upTo(10));
  for (const sequence of [11, 12, 13]) await store(sequence);
  await publish(13);
  expect((await mend(11)).skipped).toEqual({ ...lane, from: 14, to: 15 });
  expect(await sequences(reader())).toEqual(upTo(13));
});

test("a lane whose end was lost is appended, and nothing is skipped", async () => {
  const { mend, reader, database } = await stage(6, [1, 2, 3]);
  const { skipped } = await mend(4);
  expect(skipped.from).toBe(skipped.to);
  expect(await sequences(reader())).toEqual(upTo(6));
  expect((await database.pool.query("select from refold.skipped_offsets")).rowCount).toBe(0);
});

test("what a publish in flight appends meanwhile is skipped with the rest", async () => {
  const { mend, publish, store, reader } = await stage(10, [1, 2, 3, 7]);
  const between = async () => {
    await store(11);
    await publish(11);
  };
  const done = await mend(4, { log: disturbed(reader(), between, 1) });
  expect(done).toMatchObject({ to: 11, records: 8 });
  expect(await sequences(reader())).toEqual(upTo(11));
});

test("a lane into which others go on publishing is refused by name, and nothing is skipped", async () => {
  const { mend, publish, reader, database } = await stage(10, [1, 2, 3, 7]);
  const log = disturbed(reader(), () => publish(20), Infinity);
  await expect(mend(4, { log, attemptsMax: 2 })).rejects.toMatchObject({ code: "lane-busy" });
  expect((await database.pool.query("select from refold.skipped_offsets")).rowCount).toBe(0);
  await mend(4);
  expect(await sequences(reader())).toEqual(upTo(10));
});

test("what can't be mended is refused by name before anything is appended", async () => {
  const { mend, memory, database } = await stage(4, [1, 2]);
  await expect(mend(1, { slot: "other" })).rejects.toMatchObject({ code: "capture-unknown" });
  await expect(mend(5)).rejects.toMatchObject({ code: "sequence-unknown" });
  await expect(mend(1, { topic: "other" })).rejects.toMatchObject({ code: "lane-unknown" });
  await database.sql("delete from public.outbox where sequence = 3");
  await expect(mend(2)).rejects.toMatchObject({ code: "lane-broken" });
  await memory.deleteTopic("events");
  await expect(mend(2)).rejects.toMatchObject({ code: "topic-unknown" });
  await memory.ensureTopic({ name: "events", partitions: 1 });
  expect(await sequences(memory)).toEqual([]);
});
