import { expect, test } from "vitest";

import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { offset } from "../../engine/position.ts";
import type { SkippedOffsets } from "../../engine/ports/skipped-offsets.ts";
import { SkippingRecordLog } from "../../engine/record-log/skipping-log.ts";
import { recordLogConformance } from "../conformance/record-log.ts";
import { appendOf, fromStart, readRecords, recordOf } from "./records.ts";

recordLogConformance("memory, with ranges of other topics to skip", async () => {
  const memory = new MemoryRecordLog({ batchRecordsMax: 2 });
  const elsewhere = { topic: "other", topicId: "1", partition: 0 };
  const ranges = [{ ...elsewhere, from: offset(0), to: offset(1_000) }];
  const log = new SkippingRecordLog({
    log: memory,
    skipped: { ranges: async () => ranges },
    clock: new ManualClock(),
  });
  return {
    log,
    other: log,
    deleteBefore: (topic, before) => memory.deleteBefore(topic, before),
    close: () => log[Symbol.asyncDispose](),
  };
});

const texts = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, at) => `r${first + at}`);

/** A topic of two partitions whose first holds r0 to r9, two in a batch. */
async function stage() {
  const memory = new MemoryRecordLog({ batchRecordsMax: 2 });
  const { id } = await memory.ensureTopic({ name: "t", partitions: 2 });
  const append = (...values: readonly string[]) =>
    memory.append([
      appendOf(
        "t",
        0,
        values.map((text) => recordOf(text, 1_000 + Number(text.slice(1)))),
      ),
    ]);
  await append(...texts(0, 9));
  const ranges: SkippedOffsets[] = [];
  const asked = { times: 0, failure: undefined as Error | undefined };
  const clock = new ManualClock();
  const source = {
    ranges: async () => {
      asked.times += 1;
      if (asked.failure) throw asked.failure;
      return [...ranges];
    },
  };
  const log = new SkippingRecordLog({ log: memory, skipped: source, clock, ageMaxMs: 1_000 });
  const skip = (from: number, to: number, topicId = id) =>
    ranges.push({ topicId, topic: "t", partition: 0, from: offset(from), to: offset(to) });
  const read = async (from = 0) => {
    const wanted = new Map([[0, offset(from)]]);
    const seen = await readRecords(log, { topic: "t", from: wanted, until: "end" });
    return seen.map(({ text }) => text);
  };
  return { memory, append, log, clock, asked, skip, read };
}

test("readers pass over a range wherever they stand", async () => {
  const { append, skip, read } = await stage();
  await append(...texts(3, 9));
  skip(3, 10);
  expect(await read()).toEqual(texts(0, 9));
  expect(await read(5)).toEqual(texts(3, 9));
  expect(await read(12)).toEqual(texts(5, 9));
});

test("a fetch that ends within a range goes on behind it", async () => {
  const { log, skip } = await stage();
  skip(3, 10);
  const nexts: number[] = [];
  const options = { topic: "t", from: fromStart(0), until: "end", fetchBytesMax: 1 } as const;
  for await (const fetch of log.read({ ...options, signal: AbortSignal.timeout(5_000) })) {
    nexts.push(...fetch.partitions.map(({ nextOffset }) => Number(nextOffset)));
  }
  expect(nexts).toEqual([2, 10, 10, 10, 10]);
});

test("a time within a range is that of the first record behind it that isn't earlier", async () => {
  const { log, append, skip } = await stage();
  await append(...texts(3, 9));
  skip(3, 10);
  const at = async (timestampMs: number) => (await log.offsetsAt("t", timestampMs)).get(0);
  expect(await at(1_002)).toBe(2n);
  expect(await at(1_005)).toBe(12n);
  expect(await at(2_000)).toBe(17n);
});

test("a topic made anew under the same name skips nothing", async () => {
  const { skip, read } = await stage();
  skip(0, 10, "another");
  expect(await read()).toEqual(texts(0, 9));
});

test("ranges are asked for again when a second has passed, and an old answer does in an outage", async () => {
  const { clock, asked, skip, read } = await stage();
  skip(0, 2);
  expect(await read()).toEqual(texts(2, 9));
  skip(2, 4);
  expect(await read()).toEqual(texts(2, 9));
  expect(asked.times).toBe(1);
  clock.advance(1_000);
  expect(await read()).toEqual(texts(4, 9));
  asked.failure = new Error("away");
  clock.advance(1_000);
  expect(await read()).toEqual(texts(4, 9));
  expect(asked.times).toBe(3);
});

test("without a first answer nothing is read", async () => {
  const { asked, read } = await stage();
  asked.failure = new Error("away");
  await expect(read()).rejects.toThrow("away");
});

test("a reading that is open learns of a new range", async () => {
  const { log, append, clock, skip } = await stage();
  const stop = new AbortController();
  const seen: string[] = [];
  const options = { topic: "t", from: fromStart(0), until: "forever" } as const;
  const reading = readRecords(log, { ...options, signal: stop.signal }, (all) => {
    seen.splice(0, seen.length, ...all.map(({ text }) => text));
    return seen.at(-1) === "r13";
  });
  await expect.poll(() => seen.length).toBe(10);
  skip(10, 13);
  clock.advance(1_000);
  await append(...texts(10, 13));
  await reading;
  expect(seen).toEqual([...texts(0, 9), "r13"]);
});
