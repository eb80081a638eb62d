import { randomUUID } from "node:crypto";

import { Kafka, logLevel } from "kafkajs";

import { KafkaCluster, KafkaRecordLog } from "../connectors/kafka/index.ts";
import type { PartitionAppend, RecordLog, TopicSpec } from "../engine/ports/record-log.ts";
import { topic } from "./_seat-events.ts";

/** Why nothing is measured on Kafka. */
export const noKafka =
  "Kafka, because KAFKA_BROKERS names no brokers: npm run stack has some, and --env-file .env.stack " +
  "names them";

/** Where the benchmarks' topic really is, for clients of other makes. */
export interface TopicPlace {
  readonly brokers: readonly string[];
  readonly topic: string;
}

/**
 * Gives `work` a log on the brokers of KAFKA_BROKERS that has the benchmarks' topic for itself; says
 * that it is left out where there are none, and answers whether there were some.
 */
export async function onKafkaTopic(
  benchmark: string,
  work: (log: RecordLog, place: TopicPlace) => Promise<void>,
): Promise<boolean> {
  const named = process.env["KAFKA_BROKERS"];
  if (named === undefined) {
    console.log(`${benchmark}: left out: ${noKafka}`);
    return false;
  }
  const brokers = named.split(",");
  await using cluster = new KafkaCluster({ brokers });
  await using kafka = new KafkaRecordLog({ cluster });
  const name = `bench-${randomUUID()}`;
  try {
    await work(renamed(kafka, name), { brokers, topic: name });
    return true;
  } finally {
    await removeTopic(brokers, name);
  }
}

/** The log under another topic's name: each run has a topic of its own on brokers that stay. */
function renamed(log: RecordLog, name: string): RecordLog {
  const theirs = (append: PartitionAppend) => ({ ...append, topic: name });
  return {
    ensureTopic: async (spec: TopicSpec) => ({
      ...(await log.ensureTopic({ ...spec, name })),
      name: spec.name,
    }),
    topics: async () => {
      const all = await log.topics();
      return all.flatMap((one) => (one.name === name ? [{ ...one, name: topic.name }] : []));
    },
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

/** The brokers stay, and so would its bytes. */
async function removeTopic(brokers: readonly string[], name: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [name] });
  await admin.disconnect();
}
