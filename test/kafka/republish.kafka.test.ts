import { expect, onTestFinished, test } from "vitest";

import {
  LogCaptureSink,
  migrations as captureMigrations,
  PostgresCaptureSink,
  republishToLog,
} from "../../connectors/capture/index.ts";
import {
  engineMigrations,
  migrate,
  PostgresReadModelStore,
  PostgresSkippedOffsets,
} from "../../connectors/postgres/index.ts";
import type { PartitionAppend, RecordLog, RecordToAppend } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import { CapturedDatabase } from "../capture/captured-database.ts";
import { createOutbox, insertOutbox } from "../capture/outbox-table.ts";
import { realClock, until } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";
import { board, counters, history } from "../engine/seats.ts";
import { fromStart } from "../record-log/records.ts";
import { beside } from "../support/beside.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest } from "./cluster-of-test.ts";
import { runBoardOnKafka } from "./runner-on-kafka.ts";

const outboxTables = ["public.outbox"];
const lost = { from: 21, to: 25 };

/** The log as a capture meets it that loses some records of a lane on their way. */
function losing(log: RecordLog): Pick<RecordLog, "append" | "ensureTopic" | "bounds" | "read"> {
  const arrives = ({ headers }: RecordToAppend): boolean => {
    const sequence = Number(headers.find(({ name }) => name === "ce_sequence")?.value);
    return sequence < lost.from || sequence > lost.to;
  };
  return {
    ensureTopic: (spec) => log.ensureTopic(spec),
    bounds: (topic) => log.bounds(topic),
    read: (options) => log.read(options),
    append: (appends) =>
      log.append(
        appends.map((append): PartitionAppend => ({
          ...append,
          records: append.records.filter(arrives),
        })),
      ),
  };
}

/** An event store whose lane counters/1 an embedded capture publishes to Kafka, with a loss. */
async function stage() {
  const broker = await TestBroker.start();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const database = await CapturedDatabase.make();
  const { pool, slot } = database;
  await migrate(pool, engineMigrations({ capture: captureMigrations }));
  await database.sql(createOutbox);
  const kafka = logOfTest({ fetchWaitMs: 100 }, clusterOfTest({ brokers: [broker.address] }));
  await kafka.ensureTopic({ name: counters.name, partitions: counters.partitions });
  const sink = new LogCaptureSink({
    log: losing(kafka),
    positions: new PostgresCaptureSink({ pool, slot }),
  });
  const capture = await database.capture([], { outboxTables, sink });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  const skipped = new PostgresSkippedOffsets({ pool });
  const log = new SkippingRecordLog({ log: kafka, skipped, clock: realClock });
  const lane = { topic: counters.name, partition: 1 };
  const end = async () => Number((await kafka.bounds(counters.name))[1]?.end);
  return { broker, database, kafka, log, lane, end };
}

async function insertAll(
  database: CapturedDatabase,
  events: readonly GivenEvent[],
  first: number,
): Promise<void> {
  const codec = await countersCodec();
  for (const [at, { type, event }] of events.entries()) {
    const sequence = first + at;
    const { code: key } = event as { readonly code: string };
    const value = codec.encode(counters, type, event);
    const row = { position: sequence, topic: counters.name, partition: 1, sequence, key, value };
    await database.sql(insertOutbox(row));
  }
}

async function rowsOf(database: CapturedDatabase): Promise<Map<string, unknown>> {
  const store = new PostgresReadModelStore({ pool: database.pool });
  const found = new Map<string, unknown>();
  for await (const page of store.scan(await store.open(readModelOf(board)))) {
    for (const { key, row } of page) found.set(key, row);
  }
  return found;
}

const events = history(Array.from({ length: 140 }, (_, at) => (at * 7919) % 10_007));

test("a lane that lost records in Kafka is mended under load, for halted readers and new ones", async () => {
  const { broker, database, log, lane, end } = await stage();
  await insertAll(database, events.slice(0, 60), 1);
  await until("the lane with its hole is in Kafka", async () => (await end()) >= 55, 20_000);
  await using running = await runBoardOnKafka(database.pool, broker.address);
  const reason = () => running.runner.reports().find(({ partition }) => partition === 1)?.reason;
  await until("it has halted", () => reason() !== undefined, 20_000);
  expect(String(reason())).toContain("21 to 25 are missing");
  const loaded = beside(() => insertAll(database, events.slice(60), 61));
  const { url, slot } = database;
  const done = await republishToLog({ url, slot, log, outboxTables, ...lane, from: 21 });
  await loaded();
  expect(done.skipped.from).toBe(20);
  const nextSequence = async () => {
    const { rows } = await database.pool.query<{ next: string }>(
      `select next_sequence::text as next from refold.positions
       where consumer = 'board' and partition = 1`,
    );
    return Number(rows[0]?.next);
  };
  await expect.poll(nextSequence, { timeout: 20_000 }).toBe(events.length + 1);
  expect(await rowsOf(database)).toEqual(foldAll(board, events));
  expect(await lastWithoutHole(log, lane)).toBe(events.length);
});

/** The last sequence that a reader from the beginning comes to before a hole, if there is any. */
async function lastWithoutHole(
  log: RecordLog,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<number> {
  const cursor = new RecordCursor({ verify: "checksum" });
  let last = 0;
  const options = { topic, from: fromStart(partition), until: "end" } as const;
  for await (const fetch of log.read({ ...options, signal: AbortSignal.timeout(10_000) })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) {
        const sequence = cursor.headerNumber("ce_sequence");
        if (sequence > last + 1) return last;
        last = Math.max(last, sequence);
      }
    }
  }
  return last;
}
