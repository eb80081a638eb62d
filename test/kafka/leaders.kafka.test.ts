import { expect, onTestFinished, test } from "vitest";

import type { KafkaCluster } from "../../connectors/kafka/index.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { appendOf, fromStart, readRecords, recordOf } from "../record-log/records.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest } from "./cluster-of-test.ts";

const partitions = [0, 1, 2, 3, 4, 5];
const rounds = 300;
const topic = "led-by-two";

async function leadersNow(cluster: KafkaCluster): Promise<Set<number>> {
  const { topics } = await cluster.metadata([topic]);
  return new Set(topics[0]?.partitions.map(({ leader }) => leader));
}

async function write(log: RecordLog, partition: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const [range] = await log.append([appendOf(topic, partition, [recordOf(`${round}`)])]);
    expect(range).toMatchObject({ firstOffset: BigInt(round), endOffset: BigInt(round + 1) });
  }
}

test("appends and readers follow partitions to another leader, and back", async () => {
  const first = await TestBroker.start();
  onTestFinished(() => first[Symbol.asyncDispose]());
  const second = await TestBroker.start({ joins: { broker: first, nodeId: 2 } });
  onTestFinished(() => second[Symbol.asyncDispose]());
  // One seed: the other broker is learned from it.
  const cluster = clusterOfTest({ brokers: [first.address] });
  const log = logOfTest({ replicationFactor: 2, fetchWaitMs: 100 }, cluster);
  await expect
    .poll(async () => (await cluster.metadata([])).brokers.length, { timeout: 30_000 })
    .toBe(2);
  await log.ensureTopic({ name: topic, partitions: partitions.length });
  expect(await leadersNow(cluster)).toEqual(new Set([1, 2]));
  const total = partitions.length * rounds;
  let seenSoFar = 0;
  const reading = readRecords(
    log,
    {
      topic,
      from: fromStart(...partitions),
      until: "forever",
      signal: AbortSignal.timeout(100_000),
    },
    (seen) => (seenSoFar = seen.length) === total,
  );
  const writing = Promise.all(partitions.map((partition) => write(log, partition)));
  for (const one of [reading, writing]) one.catch(() => undefined);
  await expect.poll(() => seenSoFar, { timeout: 30_000, interval: 1 }).toBeGreaterThan(total / 5);
  await second.kill();
  await expect.poll(async () => [...(await leadersNow(cluster))], { timeout: 30_000 }).toEqual([1]);
  await second.startAgain();
  await writing;
  const seen = await reading;
  for (const partition of partitions) {
    const own = seen.filter((record) => record.partition === partition);
    expect(own.map(({ text }) => Number(text))).toEqual(own.map((_, index) => index));
    expect(own).toHaveLength(rounds);
  }
}, 150_000);
