import { expect, onTestFinished, test } from "vitest";

import { Room } from "../../connectors/kafka/append/room.ts";
import {
  KafkaCluster,
  KafkaRecordLog,
  type KafkaRecordLogOptions,
} from "../../connectors/kafka/index.ts";
import type { AppendedRange } from "../../engine/ports/record-log.ts";
import { appendOf, recordOf } from "../record-log/records.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

interface Stage {
  readonly broker: ScriptedBroker;
  readonly append: (count: number) => Promise<readonly AppendedRange[]>;
}

async function stage(options: Partial<KafkaRecordLogOptions> = {}): Promise<Stage> {
  const broker = await ScriptedBroker.listen();
  const cluster = new KafkaCluster({ brokers: [`127.0.0.1:${broker.port}`] });
  const log = new KafkaRecordLog({ cluster, ...options });
  onTestFinished(async () => {
    for (const each of [log, cluster, broker]) await each[Symbol.asyncDispose]();
  });
  const append = (count: number) => {
    const records = Array.from({ length: count }, (_, at) => recordOf(`${at}`));
    return log.append([appendOf(broker.topic, 0, records)]);
  };
  return { broker, append };
}

test("sequences follow each other, and a batch that is sent again keeps its own", async () => {
  const { broker, append } = await stage();
  await append(3);
  // The leader has moved, the replicas are late: the same bytes come again.
  broker.script.push(6, 19);
  await append(2);
  await append(1);
  const producerId = broker.seen[0]?.producerId;
  expect(broker.seen).toEqual([
    { producerId, sequence: 0, count: 3 },
    { producerId, sequence: 3, count: 2 },
    { producerId, sequence: 3, count: 2 },
    { producerId, sequence: 3, count: 2 },
    { producerId, sequence: 5, count: 1 },
  ]);
});

test("what comes while a request is on its way goes together, each call with its range", async () => {
  const { broker, append } = await stage();
  const [first, second, third] = await Promise.all([append(1), append(2), append(3)]);
  expect([first, second, third].map((ranges) => ranges?.[0])).toMatchObject([
    { firstOffset: 0n, endOffset: 1n },
    { firstOffset: 1n, endOffset: 3n },
    { firstOffset: 3n, endOffset: 6n },
  ]);
  expect(broker.seen.length).toBeLessThan(3);
});

test.for([
  [45, "OUT_OF_ORDER_SEQUENCE_NUMBER"],
  [46, "DUPLICATE_SEQUENCE_NUMBER"],
  [47, "INVALID_PRODUCER_EPOCH"],
  [59, "UNKNOWN_PRODUCER_ID"],
] as const)(
  "after %i the append fails by name, with all behind it, and another producer id goes on",
  async ([code, name]) => {
    const { broker, append } = await stage({ batchRecordsMax: 2 });
    await append(1);
    broker.script.push(code);
    // Three batches: the second and third must not overtake the first.
    const failing = append(6);
    const message = expect.stringContaining(name);
    await expect(failing).rejects.toMatchObject({ code: "kafka-producer", message });
    expect(broker.seen).toHaveLength(2);
    const [range] = await append(1);
    expect(range).toMatchObject({ firstOffset: 1n, endOffset: 2n });
    expect(broker.seen[2]).toMatchObject({ sequence: 0, count: 1 });
    expect(broker.seen[2]?.producerId).not.toBe(broker.seen[1]?.producerId);
  },
);

test("a producer that was fenced is fatal by name", async () => {
  const { broker, append } = await stage();
  broker.script.push(90);
  await expect(append(1)).rejects.toMatchObject({ code: "producer-fenced" });
});

test("rights that are missing are fatal, and tell what to grant", async () => {
  const { broker, append } = await stage();
  broker.script.push(29);
  const message = expect.stringContaining("TOPIC_AUTHORIZATION_FAILED");
  const error = { remedy: expect.stringContaining("ACL"), message };
  await expect(append(1)).rejects.toMatchObject(error);
});

test("an append that stays unanswered by success fails as transient when its time is over", async () => {
  const { broker, append } = await stage({ deliveryTimeoutMs: 100 });
  broker.script.push(...Array<number>(50).fill(19));
  await expect(append(1)).rejects.toMatchObject({ name: "TransientError", code: "kafka" });
  broker.script.length = 0;
  expect((await append(1))[0]).toMatchObject({ firstOffset: 0n });
});

test("bytes on their way are bounded; who comes later waits for those before, in order", async () => {
  const room = new Room(100);
  const entered: string[] = [];
  const enter = async (name: string, bytes: number) => {
    await room.take(bytes);
    entered.push(name);
  };
  await enter("a", 60);
  const waiting = [enter("b", 60), enter("c", 10)];
  await Promise.resolve();
  expect(entered).toEqual(["a"]);
  room.give(60);
  await Promise.all(waiting);
  expect(entered).toEqual(["a", "b", "c"]);
  const alone = enter("larger than all", 1_000);
  room.give(60);
  expect(entered).toHaveLength(3);
  room.give(10);
  await alone;
});
