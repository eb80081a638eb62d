import { afterAll, beforeAll, expect, test } from "vitest";

import { appendOf, fromStart, readRecords, recordOf } from "../record-log/records.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest } from "./cluster-of-test.ts";

let proxy: FaultProxy;
let broker: TestBroker;

beforeAll(async () => {
  proxy = await FaultProxy.listen();
  broker = await TestBroker.start({
    listeners: { FAR: "PLAINTEXT" },
    advertised: { FAR: proxy.address },
  });
  proxy.leadTo(broker.addressOf("FAR"));
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

test("appends whose answers are lost are appended once, in order, with their offsets", async () => {
  const far = logOfTest({}, clusterOfTest({ brokers: [proxy.address] }));
  const near = logOfTest({}, clusterOfTest({ brokers: [broker.address] }));
  const topic = "answers-lost";
  await far.ensureTopic({ name: topic, partitions: 2 });
  for (let round = 0; round < 30; round += 1) {
    if (round % 3 === 2) proxy.loseAnswers(1 + (round % 2));
    const records = [recordOf(`${round * 2}`), recordOf(`${round * 2 + 1}`)];
    const ranges = await far.append([0, 1].map((partition) => appendOf(topic, partition, records)));
    const expected = { firstOffset: BigInt(round * 2), endOffset: BigInt(round * 2 + 2) };
    expect(ranges).toMatchObject([expected, expected]);
  }
  expect(proxy.answersToLose).toBe(0);
  const seen = await readRecords(near, { topic, from: fromStart(0, 1), until: "end" });
  for (const partition of [0, 1]) {
    const own = seen.filter((record) => record.partition === partition);
    expect(own.map(({ text }) => Number(text))).toEqual(Array.from({ length: 60 }, (_, at) => at));
  }
});

test("a reader goes on behind a cut network, with nothing lost and nothing twice", async () => {
  const cluster = clusterOfTest({ brokers: [proxy.address] });
  const far = logOfTest({ fetchWaitMs: 50 }, cluster);
  const near = logOfTest({}, clusterOfTest({ brokers: [broker.address] }));
  const topic = "cut";
  await near.ensureTopic({ name: topic, partitions: 2 });
  let seenSoFar = 0;
  const reading = readRecords(
    far,
    { topic, from: fromStart(0, 1), until: "forever", fetchBytesMax: 500 },
    (seen) => (seenSoFar = seen.length) === 400,
  );
  reading.catch(() => undefined);
  for (let round = 0; round < 200; round += 1) {
    const record = recordOf(`${round}`);
    await near.append([0, 1].map((partition) => appendOf(topic, partition, [record])));
    if (round % 50 === 20) proxy.cut();
    if (round % 50 === 30) {
      proxy.restore();
      await expect.poll(() => seenSoFar, { timeout: 20_000, interval: 5 }).toBe(2 * (round + 1));
    }
  }
  const seen = await reading;
  for (const partition of [0, 1]) {
    const own = seen.filter((record) => record.partition === partition);
    expect(own.map(({ text }) => Number(text))).toEqual(Array.from({ length: 200 }, (_, at) => at));
  }
});
