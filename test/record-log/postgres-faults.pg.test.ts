import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import {
  appendRecords,
  migrations,
  PostgresRecordLog,
  type PostgresRecordLogOptions,
} from "../../connectors/postgres/record-log/index.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { offset } from "../../engine/position.ts";
import type { Fetch } from "../../engine/ports/record-log.ts";
import { databaseOfTest } from "../support/database.ts";
import { appendOf, fromStart, readRecords, recordOf, recordsOf } from "./records.ts";

type Options = Omit<PostgresRecordLogOptions, "pool">;

/** A database, and logs on it with pools of their own, named so that they can be cut off. */
async function openDatabase() {
  const url = await databaseOfTest();
  const admin = makePool({ url, name: "admin" });
  const opened: AsyncDisposable[] = [];
  onTestFinished(async () => {
    for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
    await admin.end();
  });
  await migrate(admin, migrations);
  const openLog = (name: string, options: Options = {}): PostgresRecordLog => {
    const pool = makePool({ url, name });
    opened.push({ [Symbol.asyncDispose]: () => pool.end() });
    const log = new PostgresRecordLog({ pool, ...options });
    opened.push(log);
    return log;
  };
  const cut = (name: string) =>
    admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = any($1::text[])`,
      [[`refold ${name}`, "refold log listener"]],
    );
  return { url, admin, openLog, cut };
}

test("a reader whose connections are cut goes on without loss or doubling", async () => {
  const { openLog, cut } = await openDatabase();
  const writer = openLog("writer");
  const reader = openLog("reader");
  await writer.ensureTopic({ name: "t", partitions: 2 });
  const total = 400;
  const cutAt = [1, 60, 130, 200, 300];
  const cuts: Promise<unknown>[] = [];
  const reading = readRecords(
    reader,
    { topic: "t", from: fromStart(0, 1), until: "forever", fetchBytesMax: 2_000 },
    (seen) => {
      if (seen.length >= (cutAt[0] ?? Infinity)) {
        cutAt.shift();
        cuts.push(cut("reader"));
      }
      return seen.length >= total;
    },
  );
  for (let index = 0; index < total / 2; index += 1) {
    const records = [recordOf(String(index))];
    await writer.append([appendOf("t", 0, records), appendOf("t", 1, records)]);
  }
  const seen = await reading;
  await Promise.all(cuts);
  expect(cutAt).toEqual([]);
  for (const partition of [0, 1]) {
    const offsets = seen.filter((one) => one.partition === partition).map((one) => one.offset);
    expect(offsets).toEqual(Array.from({ length: total / 2 }, (_, index) => index));
  }
});

test("a waiting reader hears of records again after its listening connection was cut", async () => {
  const { openLog, cut } = await openDatabase();
  // No polling to help it within the test.
  const log = openLog("reader", { pollIntervalMs: 600_000 });
  const writer = openLog("writer");
  await writer.ensureTopic({ name: "t", partitions: 1 });
  const wanted = fromStart(0);
  const options = { topic: "t", from: new Map(wanted), until: "forever" } as const;
  const fetches = log.read({ ...options, signal: AbortSignal.timeout(30_000) });
  const iterator = fetches[Symbol.asyncIterator]();
  for (const text of ["a", "b", "c"]) {
    const pulled = iterator.next();
    await writer.append([appendOf("t", 0, [recordOf(text)])]);
    const seen = recordsOf((await pulled).value as Fetch, wanted);
    expect(seen.map((one) => one.text)).toEqual([text]);
    await cut("nobody");
  }
  await iterator.return?.();
});

test("a reader that can't listen at all finds records by looking", async () => {
  const { openLog } = await openDatabase();
  const listenUrl = "postgresql://refold@127.0.0.1:1/nowhere";
  const log = openLog("reader", { listenUrl, pollIntervalMs: 20 });
  await log.ensureTopic({ name: "t", partitions: 1 });
  const reading = readRecords(
    log,
    { topic: "t", from: fromStart(0), until: "forever" },
    (seen) => seen.length === 1,
  );
  await log.append([appendOf("t", 0, [recordOf("a")])]);
  expect((await reading).map((one) => one.text)).toEqual(["a"]);
});

test("a reader gives up after its retries, with an error to retry later", async () => {
  const { url, admin, openLog } = await openDatabase();
  await openLog("log").ensureTopic({ name: "t", partitions: 1 });
  const pool = makePool({ url, name: "reader", statementTimeoutMs: 100 });
  const log = new PostgresRecordLog({ pool, readRetriesMax: 1 });
  const client = await admin.connect();
  await client.query("begin; lock table refold.log_batches in access exclusive mode");
  const reading = readRecords(log, { topic: "t", from: fromStart(0), until: "end" });
  await expect(reading).rejects.toMatchObject({ name: "TransientError" });
  await client.query("rollback");
  client.release();
  await log[Symbol.asyncDispose]();
  await pool.end();
});

test("a database that can't be reached gives an error to retry later", async () => {
  const pool = makePool({ url: "postgresql://refold@127.0.0.1:1/nowhere", name: "lost" });
  const log = new PostgresRecordLog({ pool });
  const error = { name: "TransientError" };
  await expect(log.bounds("t")).rejects.toMatchObject(error);
  await expect(log.append([appendOf("t", 0, [recordOf("a")])])).rejects.toMatchObject(error);
  await log[Symbol.asyncDispose]();
  await pool.end();
});

test("offsets of a transaction that rolls back are given again, and nobody saw them", async () => {
  const { admin, openLog } = await openDatabase();
  const log = openLog("log");
  await log.ensureTopic({ name: "t", partitions: 1 });
  const client = await admin.connect();
  await client.query("begin");
  const [rolledBack] = await appendRecords(client, [appendOf("t", 0, [recordOf("gone")])]);
  const reading = { topic: "t", from: fromStart(0), until: "end" } as const;
  expect(await readRecords(log, reading)).toEqual([]);
  // This append waits for the row that the open transaction holds.
  const waiting = log.append([appendOf("t", 0, [recordOf("kept")])]);
  await client.query("rollback");
  client.release();
  expect((await waiting)[0]?.firstOffset).toBe(rolledBack?.firstOffset);
  expect((await readRecords(log, reading)).map((one) => one.text)).toEqual(["kept"]);
});

test("what was appended is there for another process, and offsets go on", async () => {
  const { openLog } = await openDatabase();
  const first = openLog("first");
  const topic = await first.ensureTopic({ name: "t", partitions: 1, retentionMs: 1_000 });
  await first.append([appendOf("t", 0, [recordOf("a"), recordOf("b")])]);
  await first[Symbol.asyncDispose]();
  const second = openLog("second");
  expect(await second.topics()).toEqual([topic]);
  const [range] = await second.append([appendOf("t", 0, [recordOf("c")])]);
  expect(range?.firstOffset).toBe(2n);
});

test("records beyond a batch's bytes are split, and come back whole", async () => {
  const { openLog } = await openDatabase();
  const log = openLog("log", { batchBytesMax: 10_000, fetchBytesMax: 25_000 });
  await log.ensureTopic({ name: "t", partitions: 1 });
  const sizes = [100, 9_000, 50_000, 1, 4_000, 4_000, 4_000];
  await log.append([
    appendOf(
      "t",
      0,
      sizes.map((size) => recordOf("x".repeat(size))),
    ),
  ]);
  const seen = await readRecords(log, { topic: "t", from: fromStart(0), until: "end" });
  expect(seen.map((one) => one.text.length)).toEqual(sizes);
});

test("a sweep frees whole expired batches from the start, and nothing for ever kept", async () => {
  const { openLog } = await openDatabase();
  const log = openLog("log");
  await log.ensureTopic({ name: "day", partitions: 1, retentionMs: 1_000 });
  await log.ensureTopic({ name: "ever", partitions: 1 });
  for (const times of [[100, 200], [300], [5_000], [400]]) {
    const records = times.map((time) => recordOf(String(time), time));
    await log.append([appendOf("day", 0, records), appendOf("ever", 0, records)]);
  }
  expect(await log.sweep(1_250)).toBe(1);
  expect((await log.bounds("day"))[0]).toMatchObject({ start: 2n, end: 5n });
  // The batch at 400 is expired too, and stands behind one that isn't.
  expect(await log.sweep(3_000)).toBe(1);
  expect((await log.bounds("day"))[0]).toMatchObject({ start: 3n, end: 5n });
  expect((await log.bounds("ever"))[0]).toMatchObject({ start: 0n, end: 5n });
  expect(await log.sweep(10_000, 1)).toBe(1);
  expect(await log.sweep(10_000)).toBe(1);
  expect((await log.bounds("day"))[0]).toMatchObject({ start: 5n, end: 5n });
});

test("positions at a time are those of the log in memory, under random histories", async () => {
  const { openLog } = await openDatabase();
  const limits = { batchRecordsMax: 3 };
  const log = openLog("log", limits);
  let made = 0;
  const batch = fc.array(fc.nat(60), { minLength: 1, maxLength: 7 });
  const history = fc.array(batch, { minLength: 1, maxLength: 12 });
  const run = fc.asyncProperty(history, fc.nat(80), async (batches, deleted) => {
    const memory = new MemoryRecordLog(limits);
    const topic = `t${(made += 1)}`;
    for (const one of [log, memory]) {
      await one.ensureTopic({ name: topic, partitions: 1 });
      for (const times of batches) {
        await one.append([
          appendOf(
            topic,
            0,
            times.map((time) => recordOf("x", time)),
          ),
        ]);
      }
      await one.deleteBefore(topic, new Map([[0, offset(deleted)]]));
    }
    expect(await log.bounds(topic)).toEqual(await memory.bounds(topic));
    for (const time of [0, 1, 17, 30, 45, 59, 60, 61]) {
      expect(await log.offsetsAt(topic, time)).toEqual(await memory.offsetsAt(topic, time));
    }
  });
  await fc.assert(run, { numRuns: 25 });
});
