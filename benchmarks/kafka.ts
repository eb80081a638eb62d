/**
 * Kafka: 1,000,000 seat events on 2,000 keys and 10 partitions, appended to Kafka, then caught up
 * from there into a Postgres read model, and once more into one that Redis follows to the last row,
 * through the runner as a process has it. The rows are compared one by one with counts made without
 * the engine.
 *
 * Brokers are those of KAFKA_BROKERS (`npm run stack`); without them nothing is measured.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Kafka, logLevel } from "kafkajs";

import { KafkaCluster, KafkaRecordLog } from "../connectors/kafka/index.ts";
import {
  engineMigrations,
  makePool,
  migrate,
  PostgresAssignment,
  PostgresReadModelStore,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import type { AnyRow } from "../engine/columns.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { ReadModelStore } from "../engine/ports/read-model-store.ts";
import type { PartitionAppend, RecordLog, TopicSpec } from "../engine/ports/record-log.ts";
import { offset } from "../engine/position.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { run } from "../engine/runner/run.ts";
import type { Runner } from "../engine/runner/runner.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { followInRedis } from "./_redis.ts";
import { seatBoard } from "./_seat-board.ts";
import { assertRows, SeatEvents, topic } from "./_seat-events.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" } } });
const total = Number(values.events);
const perCall = 20_000;
const brokers = process.env["KAFKA_BROKERS"];
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

/** The log under another topic's name: each run has a topic of its own on brokers that stay. */
function renamed(log: RecordLog, name: string): RecordLog {
  const theirs = (append: PartitionAppend) => ({ ...append, topic: name });
  return {
    ensureTopic: async (spec: TopicSpec) => ({
      ...(await log.ensureTopic({ ...spec, name })),
      name: spec.name,
    }),
    topics: () => log.topics(),
    append: (appends) => log.append(appends.map(theirs)),
    read: async function* (options) {
      for await (const fetch of log.read({ ...options, topic: name })) {
        yield { ...fetch, topic: options.topic };
      }
    },
    bounds: () => log.bounds(name),
    offsetsAt: (_, timestampMs) => log.offsetsAt(name, timestampMs),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  };
}

if (brokers === undefined) {
  console.log("kafka: left out, because KAFKA_BROKERS names no brokers (npm run stack has some)");
} else {
  await measure(brokers.split(","));
}

async function measure(addresses: readonly string[]): Promise<void> {
  await using cluster = new KafkaCluster({ brokers: addresses });
  await using kafka = new KafkaRecordLog({ cluster });
  const name = `bench-${randomUUID()}`;
  const log = renamed(kafka, name);
  try {
    const codec = avroCodec({
      registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
    });
    const history = new SeatEvents(codec);
    await measureAppends(log, codec, history);
    await measureReading(log);
    await measureCatchUp({ log, codec, history }, "Postgres");
    await measureCatchUp({ log, codec, history }, "Postgres and Redis");
  } finally {
    await removeTopic(addresses, name);
  }
}

interface Filled {
  readonly log: RecordLog;
  readonly codec: EventCodec;
  readonly history: SeatEvents;
}

/** The brokers stay, and so would its bytes. */
async function removeTopic(addresses: readonly string[], name: string): Promise<void> {
  const admin = new Kafka({ brokers: [...addresses], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [name] });
  await admin.disconnect();
}

/** Encoding the events isn't counted. */
async function measureAppends(log: RecordLog, codec: EventCodec, events: SeatEvents) {
  await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
  await codec.prepare(topic);
  let seconds = 0;
  while (events.made < total) {
    const appends = events.take(Math.min(perCall, total - events.made));
    const began = performance.now();
    await log.append(appends.filter(({ records }) => records.length > 0));
    seconds += (performance.now() - began) / 1_000;
  }
  tell(`append, ${perCall} a call`, seconds);
}

/** What the log and the cursor alone take. */
async function measureReading(log: RecordLog): Promise<void> {
  const from = new Map(
    Array.from({ length: topic.partitions }, (_, partition) => [partition, offset(0)]),
  );
  const cursor = new RecordCursor();
  const { signal } = new AbortController();
  const began = performance.now();
  let seen = 0;
  for await (const fetch of log.read({ topic: topic.name, from, until: "end", signal })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) seen += 1;
    }
  }
  if (seen !== total) throw new Error(`${seen} records were read instead of ${total}.`);
  tell("read", (performance.now() - began) / 1_000);
}

/** On a Postgres of its own; with a redis-server of its own too, to the last row in both. */
async function measureCatchUp(
  { log, codec, history }: Filled,
  into: "Postgres" | "Postgres and Redis",
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder });
  const pool = makePool({ url: server.url, name: "benchmark" });
  try {
    await migrate(pool, engineMigrations());
    const store = new PostgresReadModelStore({ pool });
    await using following =
      into === "Postgres" ? undefined : await followInRedis({ pool, primary: store, clock });
    const cpu = process.cpuUsage();
    const began = performance.now();
    const runner = await run({
      projections: [seatBoard],
      log,
      readModels: following?.followed ?? store,
      assignment: new PostgresAssignment({ pool }),
      codec,
      clock,
      random: { next: () => Math.random(), id: () => randomUUID() },
    });
    const peakMb = await applied(runner);
    await following?.reached();
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    await runner.stop();
    for (const checked of [store, ...(following ? [following.store] : [])]) {
      assertRows(await rowsOf(checked), history.expected);
    }
    tell(`catch-up into ${into}`, seconds);
    console.log(
      `kafka: this process meanwhile: ${((user + system) / total).toFixed(1)} µs of processor time ` +
        `an event, peak resident memory ${peakMb} MB; rows equal`,
    );
  } finally {
    await pool.end();
    await server.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(what: string, seconds: number): void {
  const rate = Math.round(total / seconds).toLocaleString("en");
  console.log(`kafka: ${what}: ${total} events in ${seconds.toFixed(2)} s: ${rate} events/s`);
}

/** Waits until all events are durable; gives the largest resident memory seen, in MB. */
async function applied(runner: Runner): Promise<number> {
  let peak = 0;
  for (;;) {
    peak = Math.max(peak, process.memoryUsage.rss());
    const reports = runner.reports();
    const halted = reports.find(({ reason }) => reason !== undefined);
    if (halted) throw new Error(halted.reason);
    const done = reports.reduce((sum, { nextOffset }) => sum + Number(nextOffset), 0);
    if (done >= total) return Math.round(peak / 1024 / 1024);
    await wait(10);
  }
}

async function rowsOf(store: ReadModelStore): Promise<Map<string, AnyRow>> {
  const generation = await store.open(readModelOf(seatBoard));
  const rows = new Map<string, AnyRow>();
  for await (const page of store.scan(generation)) {
    for (const { key, row } of page) rows.set(key, row);
  }
  return rows;
}
