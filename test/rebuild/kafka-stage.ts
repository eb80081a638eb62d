import { onTestFinished } from "vitest";

import { until } from "../engine/process.ts";
import { changes, counters } from "../engine/seats.ts";
import { adminOf } from "../kafka/cluster-of-test.ts";
import type { TestBroker } from "../support/kafka-broker.ts";
import { openStage } from "./system-stage.ts";

/** A system on a broker that tests share; its topics go with the test. */
export async function kafkaStage(broker: TestBroker) {
  const admin = await adminOf([broker.address]);
  onTestFinished(async () => {
    await admin.deleteTopics({ topics: [counters.name, changes.name] });
    await admin.disconnect();
  });
  const stage = await openStage({ servers: { kafka: { brokers: [broker.address] } } });
  return { ...stage, broker, admin };
}

export type KafkaStage = Awaited<ReturnType<typeof kafkaStage>>;

/** What retention would do: everything of these partitions before an offset is gone. */
export async function takeBefore(
  { admin, stores }: KafkaStage,
  offsets: ReadonlyMap<number, bigint>,
): Promise<void> {
  // Another client has to be told of a topic before.
  await admin.fetchTopicOffsets(counters.name);
  const partitions = [...offsets].map(([partition, at]) => ({ partition, offset: String(at) }));
  await admin.deleteTopicRecords({ topic: counters.name, partitions });
  await until("the log begins later", async () => {
    const bounds = await stores.log.bounds(counters.name);
    return [...offsets].every(([partition, at]) => (bounds[partition]?.start ?? 0n) >= at);
  });
}
