import { expect, onTestFinished, test } from "vitest";

import { TransientError } from "../../engine/errors.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { appendOf, fromStart, readRecords, recordOf } from "../record-log/records.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest } from "./cluster-of-test.ts";

const partitions = [0, 1, 2];
const rounds = 400;

/**
 * One writer of one partition; a failed append ends it, because its fate is unknown. Records are of
 * now: a broker that recovers forgets producers whose last record is older than a day.
 */
async function write(log: RecordLog, topic: string, partition: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const nowMs = Date.now();
    const texts = [`${round * 2}`, `${round * 2 + 1}`];
    const records = texts.map((text) => recordOf(text, nowMs));
    const [range] = await log.append([appendOf(topic, partition, records)]);
    expect(range).toMatchObject({
      firstOffset: BigInt(round * 2),
      endOffset: BigInt(round * 2 + 2),
    });
  }
}

test("a broker killed and started again under load loses, doubles and mixes nothing", async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const brokers = [broker.address];
  const log = logOfTest({ fetchWaitMs: 100 }, clusterOfTest({ brokers }));
  const topic = "restarted";
  await log.ensureTopic({ name: topic, partitions: partitions.length });
  const total = partitions.length * rounds * 2;
  const signal = AbortSignal.timeout(80_000);
  let seenSoFar = 0;
  const reading = readRecords(
    log,
    { topic, from: fromStart(...partitions), until: "forever", signal },
    (seen) => (seenSoFar = seen.length) === total,
  );
  reading.catch(() => undefined);
  const writing = Promise.all(partitions.map((partition) => write(log, topic, partition)));
  let failure: unknown;
  writing.catch((error: unknown) => (failure = error));
  for (const part of [0.2, 0.6]) {
    await expect
      .poll(() => failure ?? seenSoFar > total * part, { timeout: 40_000, interval: 1 })
      .toBe(true);
    await broker.kill();
    await broker.startAgain();
  }
  await writing;
  const seen = await reading;
  for (const partition of partitions) {
    const own = seen.filter((record) => record.partition === partition);
    expect(own.map(({ text }) => Number(text))).toEqual(own.map((_, index) => index));
    expect(own).toHaveLength(rounds * 2);
  }
}, 120_000);

test("appends and readers are back within seconds of the broker's first answer", async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const brokers = [broker.address];
  const log = logOfTest({}, clusterOfTest({ brokers }));
  const topic = "back-again";
  await log.ensureTopic({ name: topic, partitions: partitions.length });
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const done = { appends: 0, records: 0 };
  const from = fromStart(...partitions);
  const { signal } = ending;
  const reading = readRecords(log, { topic, from, until: "forever", signal }, ({ length }) => {
    done.records = length;
    return false;
  });
  const write = async (): Promise<void> => {
    while (!signal.aborted) {
      const record = recordOf("a", Date.now());
      await log.append(partitions.map((partition) => appendOf(topic, partition, [record])));
      done.appends += 1;
    }
  };
  const writing = write();
  const failed = Promise.race([reading, writing]).then(() => "ended", String);
  const goOn = async (timeoutMs: number): Promise<void> => {
    const before = { ...done };
    const both = () => done.appends > before.appends && done.records > before.records;
    await expect.poll(both, { timeout: timeoutMs, interval: 5 }).toBe(true);
  };
  await goOn(10_000);
  await broker.kill();
  await broker.startAgain();
  const fresh = logOfTest({}, clusterOfTest({ brokers, retryTimeoutMs: 60_000 }));
  await fresh.bounds(topic);
  // How long a broker itself takes to start is the machine's affair.
  await goOn(5_000);
  ending.abort();
  expect(await failed).toBe("ended");
}, 120_000);

test("a broker that stays away fails appends and readers as transient, within their time", async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const cluster = clusterOfTest({ brokers: [broker.address], retryTimeoutMs: 500 });
  const log = logOfTest({ deliveryTimeoutMs: 500, readRetriesMax: 3 }, cluster);
  const topic = "away";
  await log.ensureTopic({ name: topic, partitions: 1 });
  const reading = readRecords(log, { topic, from: fromStart(0), until: "forever" });
  reading.catch(() => undefined);
  await log.append([appendOf(topic, 0, [recordOf("a")])]);
  await broker.kill();
  await expect(log.append([appendOf(topic, 0, [recordOf("b")])])).rejects.toThrow(TransientError);
  await expect(reading).rejects.toThrow(TransientError);
  await expect(log.bounds(topic)).rejects.toThrow(TransientError);
  await broker.startAgain();
  // Another producer id begins where the failed append has left the partition.
  await expect
    .poll(async () => (await log.bounds(topic))[0]?.end, { timeout: 30_000 })
    .toBeGreaterThan(0n);
  const [range] = await log.append([appendOf(topic, 0, [recordOf("c")])]);
  expect(range?.endOffset).toBe((await log.bounds(topic))[0]?.end);
}, 120_000);
