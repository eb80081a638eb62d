import { expect, test, vi } from "vitest";

import { GroupOffsetMirror } from "../../connectors/kafka/index.ts";
import { offset } from "../../engine/position.ts";
import { appendOf, recordOf } from "../record-log/records.ts";
import { adminOfTest, clusterOfTest, logOfTest, newTopicName } from "./cluster-of-test.ts";

function counting() {
  const results: string[] = [];
  const metrics = {
    count: (_: string, __: number, labels?: Readonly<Record<string, string>>) => {
      results.push(labels?.["outcome"] ?? "");
    },
    gauge: () => undefined,
    drop: () => undefined,
    observe: () => undefined,
  };
  return { results, metrics };
}

test("a group shows the newest offset of each partition, by one commit", async () => {
  const cluster = clusterOfTest();
  const log = logOfTest({}, cluster);
  const topic = newTopicName();
  const group = `group-of-${topic}`;
  await log.ensureTopic({ name: topic, partitions: 3 });
  await log.append([
    appendOf(
      topic,
      0,
      ["a", "b", "c"].map((text) => recordOf(text)),
    ),
  ]);
  const { results, metrics } = counting();
  const mirror = new GroupOffsetMirror({ cluster, metrics, intervalMs: 100 });
  for (let next = 1; next <= 3; next += 1) {
    mirror.flushed({ group, topic, partition: 0, nextOffset: offset(next) });
    mirror.flushed({ group, topic, partition: 2, nextOffset: offset(0) });
  }
  expect(results).toEqual([]);
  // The first commit that a cluster ever gets may come before it has a place for offsets.
  await vi.waitFor(() => expect(results.at(-1)).toBe("committed"), { timeout: 20_000 });
  await mirror[Symbol.asyncDispose]();
  expect(results.filter((result) => result === "committed")).toHaveLength(1);
  const admin = await adminOfTest();
  const [shown] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const offsets = shown?.partitions.map((one) => [one.partition, one.offset]);
  expect(offsets?.sort()).toEqual([
    [0, "3"],
    [1, "-1"],
    [2, "0"],
  ]);
});

test("a broker that is away costs a count and nothing else", async () => {
  const cluster = clusterOfTest({ brokers: ["127.0.0.1:1"], connectTimeoutMs: 1_000 });
  const { results, metrics } = counting();
  const mirror = new GroupOffsetMirror({ cluster, metrics, partitionsMax: 1 });
  mirror.flushed({ group: "g", topic: "t", partition: 0, nextOffset: offset(1) });
  mirror.flushed({ group: "g", topic: "t", partition: 1, nextOffset: offset(1) });
  await mirror[Symbol.asyncDispose]();
  expect(results).toEqual(["left-out", "failed"]);
});
