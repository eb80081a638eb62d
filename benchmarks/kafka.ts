/**
 * Kafka: 1,000,000 seat events on 2,000 keys and 10 partitions, appended to Kafka, then caught up
 * from there into a Postgres read model, and once more into one that Redis follows to the last row,
 * through the runner as a process has it. The rows are compared one by one with counts made without
 * the engine.
 *
 * Brokers are those of KAFKA_BROKERS (`npm run stack`); without them nothing is measured.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";

import { Kafka, logLevel } from "kafkajs";

import { KafkaCluster, KafkaRecordLog } from "../connectors/kafka/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { PartitionAppend, RecordLog, TopicSpec } from "../engine/ports/record-log.ts";
import { offset } from "../engine/position.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { type CatchUp, catchUp, onOwnPostgres } from "./_catch-up.ts";
import { SeatEvents, topic } from "./_seat-events.ts";

const { values } = parseArgs({ options: { events: { type: "string", default: "1000000" } } });
const total = Number(values.events);
const perCall = 20_000;
const brokers = process.env["KAFKA_BROKERS"];

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

type Filled = Pick<CatchUp, "log" | "codec" | "history">;

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
function measureCatchUp(filled: Filled, into: CatchUp["into"]): Promise<void> {
  return onOwnPostgres(async (pool) => {
    const { seconds, processorUs, peakMb } = await catchUp({ ...filled, pool, into });
    tell(`catch-up into ${into}`, seconds);
    console.log(
      `kafka: this process meanwhile: ${(processorUs / total).toFixed(1)} µs of processor time ` +
        `an event, peak resident memory ${peakMb} MB; rows equal`,
    );
  });
}

function tell(what: string, seconds: number): void {
  const rate = Math.round(total / seconds).toLocaleString("en");
  console.log(`kafka: ${what}: ${total} events in ${seconds.toFixed(2)} s: ${rate} events/s`);
}
