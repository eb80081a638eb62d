import { CompressionTypes, Kafka, logLevel, Partitioners } from "kafkajs";
import { expect, onTestFinished, test } from "vitest";

import { offset } from "../../engine/position.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { appendOf, fromStart, readRecords, recordOf } from "../record-log/records.ts";
import { adminOfTest, brokersOfRun, logOfTest, newTopicName } from "./cluster-of-test.ts";

async function topicOfTest(log: RecordLog, partitions = 1): Promise<string> {
  const topic = newTopicName();
  await log.ensureTopic({ name: topic, partitions });
  return topic;
}

function kafkajsOfTest(): Kafka {
  return new Kafka({ brokers: brokersOfRun(), logLevel: logLevel.NOTHING });
}

test("a topic that is made anew while it is read ends the reader by name", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  await log.append([appendOf(topic, 0, [recordOf("a")])]);
  const admin = await adminOfTest();
  const before = (await log.topics()).find(({ name }) => name === topic);
  const wanted = fromStart(0);
  const options = { topic, from: wanted, until: "forever" } as const;
  const iterator = log.read({ ...options, signal: AbortSignal.timeout(30_000) });
  expect((await iterator.next()).done).toBe(false);
  const pulled = iterator.next();
  pulled.catch(() => undefined);
  await admin.deleteTopics({ topics: [topic] });
  const after = await log.ensureTopic({ name: topic, partitions: 1 });
  expect(after.id).not.toBe(before?.id);
  // As many records as the old topic had, so that the offset alone tells nothing.
  await log.append([appendOf(topic, 0, [recordOf("x"), recordOf("y")])]);
  await expect(pulled).rejects.toMatchObject({ code: "topic-unknown" });
});

test("a topic that is deleted while it is read ends the reader by name", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  await log.append([appendOf(topic, 0, [recordOf("a")])]);
  const admin = await adminOfTest();
  const reading = readRecords(log, { topic, from: fromStart(0), until: "forever" });
  reading.catch(() => undefined);
  await admin.deleteTopics({ topics: [topic] });
  await expect(reading).rejects.toMatchObject({ code: "topic-unknown" });
});

test("partitions that are added while a topic is read end the reader by name", async () => {
  const log = logOfTest({ metadataAgeMaxMs: 200, fetchWaitMs: 50 });
  const topic = await topicOfTest(log, 2);
  await log.append([appendOf(topic, 0, [recordOf("a")])]);
  const admin = await adminOfTest();
  // Who only begins when they are there has no reason to complain.
  const begun = Promise.withResolvers<void>();
  const reading = readRecords(log, { topic, from: fromStart(0, 1), until: "forever" }, () => {
    begun.resolve();
    return false;
  });
  reading.catch(begun.reject);
  await begun.promise;
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
  const message = expect.stringContaining("from 2 to 3 partitions");
  await expect(reading).rejects.toMatchObject({ code: "partitions-differ", message });
});

test("records that retention takes from a waiting reader are named, never passed over", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  const records = ["a", "b", "c", "d"].map((text) => recordOf(text));
  await log.append([appendOf(topic, 0, records)]);
  const admin = await adminOfTest();
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "3" }] });
  const from = new Map([[0, offset(1)]]);
  const reading = readRecords(log, { topic, from, until: "forever" });
  const message = expect.stringContaining("Offsets 1 to 2");
  await expect(reading).rejects.toMatchObject({ code: "out-of-range", message });
});

test("another client's records come compressed by gzip, with their offsets", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  const producer = kafkajsOfTest().producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
  const messages = texts.map((value) => ({ value }));
  for (const compression of [CompressionTypes.GZIP, CompressionTypes.None]) {
    await producer.send({ topic, messages, compression });
  }
  const seen = await readRecords(log, { topic, from: fromStart(0), until: "end" });
  expect(seen.map(({ text }) => text)).toEqual([...texts, ...texts]);
  expect(seen.map((record) => record.offset)).toEqual(texts.concat(texts).map((_, at) => at));
});

test("the markers of another client's transactions are passed over", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  const producer = kafkajsOfTest().producer({
    transactionalId: topic,
    maxInFlightRequests: 1,
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  for (const value of ["a", "b"]) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value }] });
    await transaction.commit();
  }
  const [bounds] = await log.bounds(topic);
  expect(bounds?.end).toBe(4n);
  const seen = await readRecords(log, { topic, from: fromStart(0), until: "end" });
  expect(seen.map(({ offset: at, text }) => [at, text])).toEqual([
    [0, "a"],
    [2, "b"],
  ]);
});

test("a record too large for the topic is refused by name, and what follows is appended", async () => {
  const log = logOfTest();
  const topic = await topicOfTest(log);
  const large = recordOf("x".repeat(1_200_000));
  const refused = log.append([appendOf(topic, 0, [large])]);
  await expect(refused).rejects.toMatchObject({ code: "record-too-large" });
  const [range] = await log.append([appendOf(topic, 0, [recordOf("after")])]);
  expect(range?.firstOffset).toBe(0n);
});

test("batches larger than the topic takes are made smaller", async () => {
  const log = logOfTest({ batchBytesMax: 8 * 1024 * 1024 });
  const topic = await topicOfTest(log);
  const records = Array.from({ length: 40 }, (_, index) => recordOf(`${index} `.repeat(30_000)));
  const [range] = await log.append([appendOf(topic, 0, records)]);
  expect(range).toMatchObject({ firstOffset: 0n, endOffset: 40n });
  const seen = await readRecords(log, { topic, from: fromStart(0), until: "end" });
  expect(seen.map(({ text }) => Number(text.split(" ")[0]))).toEqual(
    Array.from({ length: 40 }, (_, index) => index),
  );
});

test("a reader that waits uses no processor time and sets no timer of negative delay", async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning.name);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const log = logOfTest({ fetchWaitMs: 500 });
  const topic = await topicOfTest(log);
  await log.append([appendOf(topic, 0, [recordOf("a")])]);
  const iterator = log.read({
    topic,
    from: fromStart(0),
    until: "forever",
    signal: AbortSignal.timeout(30_000),
  });
  await iterator.next();
  const pulled = iterator.next();
  const before = process.cpuUsage();
  const began = performance.now();
  // Two waits at the broker lie in this time; a spinning timer would wake up a thousand times.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1_000 / (performance.now() - began);
  expect(share).toBeLessThan(0.1);
  expect(warnings).not.toContain("TimeoutNegativeWarning");
  await log.append([appendOf(topic, 0, [recordOf("b")])]);
  expect((await pulled).done).toBe(false);
  await iterator.return?.();
});

test("a port that isn't Kafka's is told so, and credentials are never sent again and again", async () => {
  const { createServer } = await import("node:net");
  const server = createServer((socket) => {
    socket.on("error", () => undefined).end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const { KafkaCluster } = await import("../../connectors/kafka/index.ts");
  await using cluster = new KafkaCluster({ brokers: [`127.0.0.1:${port}`] });
  const message = expect.stringContaining("Is it a Kafka broker's port");
  await expect(cluster.metadata()).rejects.toMatchObject({ code: "kafka-connection", message });
});
