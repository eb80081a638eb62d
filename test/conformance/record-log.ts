import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { offset, type Offset } from "../../engine/position.ts";
import type { Fetch, RecordLog } from "../../engine/ports/record-log.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import {
  appendOf,
  fromStart,
  readRecords,
  recordOf,
  recordsOf,
  type RecordSeen,
} from "../record-log/records.ts";

export interface RecordLogUnderTest {
  readonly log: RecordLog;
  /** Another adapter's instance on the same log; the same one where there can be only one. */
  readonly other: RecordLog;
  readonly deleteBefore: (topic: string, before: ReadonlyMap<number, Offset>) => Promise<void>;
  close(): Promise<void>;
}

/** Stands in the topics' names: a log may outlive the run, and have topics of other runs. */
const run = randomUUID().slice(0, 8);

/** What the port promises, of any adapter. */
export function recordLogConformance(name: string, open: () => Promise<RecordLogUnderTest>): void {
  describe(`record log: ${name}`, () => {
    let under: RecordLogUnderTest;
    let made = 0;
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under.close());

    async function newTopic(partitions = 3): Promise<string> {
      const topic = `topic-${run}-${(made += 1)}`;
      await under.log.ensureTopic({ name: topic, partitions });
      return topic;
    }

    topicTests(() => under);
    appendTests(() => under, newTopic);
    readTests(() => under, newTopic);
    waitingTests(() => under, newTopic);
    retentionTests(() => under, newTopic);
    timeTests(() => under, newTopic);
  });
}

type Under = () => RecordLogUnderTest;
type NewTopic = (partitions?: number) => Promise<string>;

function topicTests(under: Under): void {
  test("a topic made twice is the same topic", async () => {
    const { log, other } = under();
    const spec = { name: `twice-${run}`, partitions: 4, retentionMs: 86_400_000 };
    const [first, second] = await Promise.all([log.ensureTopic(spec), other.ensureTopic(spec)]);
    expect(second).toEqual(first);
    expect(first).toMatchObject(spec);
    expect(await log.topics()).toContainEqual(first);
  });

  test("refuses a topic with another number of partitions by name", async () => {
    const { log } = under();
    await log.ensureTopic({ name: `differs-${run}`, partitions: 4 });
    const error = { code: "partitions-differ", message: expect.stringContaining("has 4") };
    await expect(log.ensureTopic({ name: `differs-${run}`, partitions: 5 })).rejects.toMatchObject(
      error,
    );
  });

  test("an unknown topic is refused with the topics there are", async () => {
    const { log } = under();
    await log.ensureTopic({ name: `known-${run}`, partitions: 1 });
    const message = expect.stringContaining(`known-${run}`);
    const error = { code: "topic-unknown", message };
    await expect(log.bounds("nowhere")).rejects.toMatchObject(error);
    await expect(log.offsetsAt("nowhere", 0)).rejects.toMatchObject(error);
    await expect(log.append([appendOf("nowhere", 0, [recordOf("a")])])).rejects.toMatchObject(
      error,
    );
    const reading = readRecords(log, { topic: "nowhere", from: fromStart(0), until: "end" });
    await expect(reading).rejects.toMatchObject(error);
  });
}

function appendTests(under: Under, newTopic: NewTopic): void {
  test("offsets are gapless from 0 in each partition and come back in order", async () => {
    const topic = await newTopic();
    const { log } = under();
    const first = await log.append([
      appendOf(topic, 2, [recordOf("c0"), recordOf("c1")]),
      appendOf(topic, 0, [recordOf("a0")]),
      appendOf(topic, 2, [recordOf("c2")]),
    ]);
    expect(first).toEqual([
      { topic, partition: 2, firstOffset: 0n, endOffset: 2n },
      { topic, partition: 0, firstOffset: 0n, endOffset: 1n },
      { topic, partition: 2, firstOffset: 2n, endOffset: 3n },
    ]);
    const second = await log.append([appendOf(topic, 2, [recordOf("c3", 2_000)])]);
    expect(second).toEqual([{ topic, partition: 2, firstOffset: 3n, endOffset: 4n }]);
    expect(await log.bounds(topic)).toEqual([
      { partition: 0, start: 0n, end: 1n, lastTimestampMs: 1_000 },
      { partition: 1, start: 0n, end: 0n },
      { partition: 2, start: 0n, end: 4n, lastTimestampMs: 2_000 },
    ]);
  });

  test("appends everything of a call or nothing", async () => {
    const topic = await newTopic();
    const { log } = under();
    const call = [appendOf(topic, 0, [recordOf("a")]), appendOf(topic, 7, [recordOf("b")])];
    await expect(log.append(call)).rejects.toMatchObject({ code: "partition-unknown" });
    expect((await log.bounds(topic)).map((one) => one.end)).toEqual([0n, 0n, 0n]);
  });

  test("a call without records changes nothing and tells the end", async () => {
    const topic = await newTopic();
    const { log } = under();
    await log.append([appendOf(topic, 1, [recordOf("a")])]);
    expect(await log.append([])).toEqual([]);
    expect(await log.append([appendOf(topic, 1, [])])).toEqual([
      { topic, partition: 1, firstOffset: 1n, endOffset: 1n },
    ]);
  });

  test("concurrent appenders leave neither gaps nor doubles, each in its own order", async () => {
    const topic = await newTopic();
    const { log, other } = under();
    const appender = async (from: RecordLog, name: string): Promise<void> => {
      for (let round = 0; round < 25; round += 1) {
        const records = [recordOf(`${name} ${round * 2}`), recordOf(`${name} ${round * 2 + 1}`)];
        // Partitions in opposite orders: locks taken as they are named would meet head on.
        const partitions = name === "x" ? [0, 1, 2] : [2, 1, 0];
        await from.append(partitions.map((partition) => appendOf(topic, partition, records)));
      }
    };
    const reading = readRecords(
      log,
      { topic, from: fromStart(0, 1, 2), until: "forever" },
      (seen) => seen.length === 300,
    );
    await Promise.all([appender(log, "x"), appender(other, "y")]);
    const seen = await reading;
    for (const partition of [0, 1, 2]) {
      const own = seen.filter((record) => record.partition === partition);
      expect(own.map((record) => record.offset)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      for (const name of ["x", "y"]) {
        const texts = own.map((record) => record.text).filter((text) => text.startsWith(name));
        expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `${name} ${i}`));
      }
    }
  });
}

function readTests(under: Under, newTopic: NewTopic): void {
  test("gives records as they were appended", async () => {
    const topic = await newTopic(1);
    const record = {
      timestampMs: 1_700_000_000_123,
      key: null,
      value: null,
      headers: [
        { name: "ü", value: Buffer.from([0, 255]) },
        { name: "none", value: null },
      ],
    };
    const { log } = under();
    await log.append([appendOf(topic, 0, [recordOf("before"), record])]);
    const cursor = new RecordCursor();
    const reading = { topic, from: new Map([[0, offset(1)]]), until: "end" } as const;
    for await (const fetch of log.read({ ...reading, signal: AbortSignal.timeout(5_000) })) {
      for (const { bytes } of fetch.partitions) {
        cursor.reset(bytes, 1);
        expect(cursor.next()).toBe(true);
        expect(cursor.record()).toEqual(record);
      }
    }
    expect(cursor.offset).toBe(1);
  });

  test("reads only the partitions named, each from its offset", async () => {
    const topic = await newTopic();
    const { log } = under();
    const records = ["0", "1", "2"].map((text) => recordOf(text));
    await log.append([0, 1, 2].map((partition) => appendOf(topic, partition, records)));
    const from = new Map([
      [0, offset(2)],
      [2, offset(3)],
    ]);
    const seen = await readRecords(log, { topic, from, until: "end" });
    expect(seen).toEqual([{ partition: 0, offset: 2, text: "2" }]);
  });

  test("brings everything in order however small a fetch is", async () => {
    const topic = await newTopic(2);
    const { log } = under();
    for (let index = 0; index < 30; index += 3) {
      const records = [index, index + 1, index + 2].map((number) => recordOf(`${number}`));
      await log.append([appendOf(topic, 0, records), appendOf(topic, 1, records)]);
    }
    const from = new Map([
      [0, offset(4)],
      [1, offset(0)],
    ]);
    for (const fetchBytesMax of [1, 400, 100_000]) {
      const seen = await readRecords(log, { topic, from, until: "end", fetchBytesMax });
      const offsets = (of: number) => seen.filter((r) => r.partition === of).map((r) => r.offset);
      expect(offsets(0)).toEqual(Array.from({ length: 26 }, (_, index) => index + 4));
      expect(offsets(1)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    }
  });

  test("an empty topic read to its end gives nothing", async () => {
    const topic = await newTopic();
    const reading = { topic, from: fromStart(0, 1, 2), until: "end" } as const;
    expect(await readRecords(under().log, reading)).toEqual([]);
  });

  test("an offset beyond the end is refused by name, never moved", async () => {
    const topic = await newTopic();
    const { log } = under();
    await log.append([appendOf(topic, 1, [recordOf("a")])]);
    const from = new Map([[1, offset(2)]]);
    const reading = readRecords(log, { topic, from, until: "forever" });
    const message = expect.stringContaining(`${topic}, partition 1`);
    await expect(reading).rejects.toMatchObject({ code: "out-of-range", message });
  });

  test("an unknown partition is refused by name", async () => {
    const topic = await newTopic();
    const reading = readRecords(under().log, { topic, from: fromStart(3), until: "end" });
    await expect(reading).rejects.toMatchObject({ code: "partition-unknown" });
  });
}

function waitingTests(under: Under, newTopic: NewTopic): void {
  test("a waiting reader gets what another instance appends", async () => {
    const topic = await newTopic();
    const { log, other } = under();
    const wanted = fromStart(0, 1, 2);
    const options = { topic, from: new Map(wanted), until: "forever" } as const;
    const fetches = log.read({ ...options, signal: AbortSignal.timeout(20_000) });
    const iterator = fetches[Symbol.asyncIterator]();
    for (let index = 0; index < 5; index += 1) {
      const pulled = iterator.next();
      await other.append([appendOf(topic, index % 3, [recordOf(`${index}`)])]);
      const result = await pulled;
      expect(result.done).toBe(false);
      const seen = recordsOf(result.value as Fetch, wanted);
      expect(seen.map((record) => record.text)).toEqual([`${index}`]);
    }
    await iterator.return?.();
  });

  test("an aborted signal ends a waiting reader without an error", async () => {
    const topic = await newTopic();
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const options = { topic, from: fromStart(0), until: "forever", signal: stop.signal } as const;
    const iterator = under().log.read(options)[Symbol.asyncIterator]();
    const pulled = iterator.next();
    stop.abort();
    expect((await pulled).done).toBe(true);
  });

  test("a signal that is aborted already gives nothing", async () => {
    const topic = await newTopic();
    const { log } = under();
    await log.append([appendOf(topic, 0, [recordOf("a")])]);
    const signal = AbortSignal.abort();
    const reading = { topic, from: fromStart(0), until: "forever", signal } as const;
    expect(await readRecords(log, reading)).toEqual([]);
  });
}

function retentionTests(under: Under, newTopic: NewTopic): void {
  test("what retention has taken is out of range, by name", async () => {
    const topic = await newTopic();
    const { log, deleteBefore } = under();
    for (const text of ["a", "b", "c"]) await log.append([appendOf(topic, 0, [recordOf(text)])]);
    await deleteBefore(topic, new Map([[0, offset(2)]]));
    expect((await log.bounds(topic))[0]).toMatchObject({ start: 2n, end: 3n });
    const gone = readRecords(log, { topic, from: new Map([[0, offset(1)]]), until: "end" });
    await expect(gone).rejects.toMatchObject({ code: "out-of-range" });
    const left = await readRecords(log, { topic, from: new Map([[0, offset(2)]]), until: "end" });
    expect(left.map((record) => record.text)).toEqual(["c"]);
  });

  test("a reader that retention overtakes is told so, and skips nothing", async () => {
    const topic = await newTopic(1);
    const { log, deleteBefore } = under();
    for (const text of ["a", "b", "c", "d", "e"]) {
      await log.append([appendOf(topic, 0, [recordOf(text)])]);
    }
    const options = { topic, from: fromStart(0), until: "forever", fetchBytesMax: 1 } as const;
    const wanted = fromStart(0);
    const seen: RecordSeen[] = [];
    const reading = (async () => {
      for await (const fetch of log.read({ ...options, signal: AbortSignal.timeout(5_000) })) {
        seen.push(...recordsOf(fetch, wanted));
        await deleteBefore(topic, new Map([[0, offset(4)]]));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "out-of-range" });
    // What was read ahead may still come; then the gap is named.
    expect(seen.map((record) => record.text)).toEqual(["a", "b", "c"].slice(0, seen.length));
  });

  test("a partition that was emptied by retention goes on at its end", async () => {
    const topic = await newTopic();
    const { log, deleteBefore } = under();
    await log.append([appendOf(topic, 0, [recordOf("a"), recordOf("b")])]);
    await deleteBefore(topic, new Map([[0, offset(2)]]));
    const [range] = await log.append([appendOf(topic, 0, [recordOf("c")])]);
    expect(range?.firstOffset).toBe(2n);
    const seen = await readRecords(log, { topic, from: new Map([[0, offset(2)]]), until: "end" });
    expect(seen).toEqual([{ partition: 0, offset: 2, text: "c" }]);
  });
}

function timeTests(under: Under, newTopic: NewTopic): void {
  test("positions at a time are the first record at or after it, else the end", async () => {
    const topic = await newTopic();
    const { log } = under();
    const times = [100, 200, 200, 300, 300, 400];
    for (const pair of [times.slice(0, 3), times.slice(3)]) {
      await log.append([
        appendOf(
          topic,
          0,
          pair.map((time) => recordOf(`${time}`, time)),
        ),
      ]);
    }
    await log.append([appendOf(topic, 1, [recordOf("late", 1_000)])]);
    const at = async (time: number) => [...(await log.offsetsAt(topic, time)).entries()];
    const expected = (first: bigint, second: bigint) => [
      [0, first],
      [1, second],
      [2, 0n],
    ];
    expect(await at(0)).toEqual(expected(0n, 0n));
    expect(await at(200)).toEqual(expected(1n, 0n));
    expect(await at(201)).toEqual(expected(3n, 0n));
    expect(await at(400)).toEqual(expected(5n, 0n));
    expect(await at(401)).toEqual(expected(6n, 0n));
    expect(await at(1_001)).toEqual(expected(6n, 1n));
    const wanted = await log.offsetsAt(topic, 401, new Set([1, 2]));
    expect([wanted.get(1), wanted.get(2)]).toEqual([0n, 0n]);
  });

  test("positions at a time hold where timestamps go back, and after retention", async () => {
    const topic = await newTopic(1);
    const { log, deleteBefore } = under();
    for (const time of [500, 100, 300, 200, 400]) {
      await log.append([appendOf(topic, 0, [recordOf(`${time}`, time)])]);
    }
    expect((await log.offsetsAt(topic, 300)).get(0)).toBe(0n);
    await deleteBefore(topic, new Map([[0, offset(1)]]));
    expect((await log.offsetsAt(topic, 300)).get(0)).toBe(2n);
    expect((await log.offsetsAt(topic, 350)).get(0)).toBe(4n);
    expect((await log.offsetsAt(topic, 450)).get(0)).toBe(5n);
  });
}
