import * as fc from "fast-check";
import { expect, test } from "vitest";

import { withoutOffsets } from "../../engine/record-batch/cut.ts";
import { encodeRecordBatch, RecordCursor } from "../../engine/record-batch/index.ts";
import { recordOf } from "./records.ts";

interface Seen {
  readonly offset: number;
  readonly text: string;
  readonly timestampMs: number;
}

function recordsIn(bytes: Buffer, from: number): Seen[] {
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(bytes, from);
  const seen: Seen[] = [];
  while (cursor.next()) {
    const text = String(cursor.record().value);
    seen.push({ offset: cursor.offset, text, timestampMs: cursor.timestampMs });
  }
  return seen;
}

/** Sizes of batches, and how many offsets nobody has between them. */
const layout = fc.array(
  fc.record({ records: fc.integer({ min: 1, max: 12 }), gap: fc.nat({ max: 3 }) }),
  { minLength: 1, maxLength: 12 },
);
const someRanges = fc.array(
  fc
    .record({ from: fc.nat({ max: 160 }), length: fc.integer({ min: 1, max: 40 }) })
    .map(({ from, length }) => ({ from, to: from + length })),
  { maxLength: 4 },
);

function bytesOf(batches: readonly { records: number; gap: number }[], start: number): Buffer {
  let next = start;
  const encoded = batches.map(({ records, gap }) => {
    const baseOffset = next + gap;
    next = baseOffset + records;
    const texts = Array.from({ length: records }, (_, at) => baseOffset + at);
    return encodeRecordBatch({
      baseOffset,
      records: texts.map((one) => recordOf(`r${one}`, 1_000 + one)),
    });
  });
  return Buffer.concat(encoded);
}

test("what is left of any batches is what a filter of their records leaves, twice over too", () => {
  const run = fc.property(layout, someRanges, fc.nat(60), (batches, ranges, from) => {
    const bytes = bytesOf(batches, 10);
    const expected = recordsIn(bytes, from).filter(
      ({ offset }) => !ranges.some((range) => range.from <= offset && offset < range.to),
    );
    const cut = withoutOffsets(bytes, ranges);
    expect(recordsIn(cut, from)).toEqual(expected);
    expect(withoutOffsets(cut, ranges)).toEqual(cut);
  });
  fc.assert(run, { numRuns: 400 });
});

test("batches that no range touches stay the same bytes", () => {
  const bytes = bytesOf([{ records: 5, gap: 0 }], 10);
  const ranges = [
    { from: 0, to: 10 },
    { from: 15, to: 40 },
  ];
  expect(withoutOffsets(bytes, ranges)).toEqual(bytes);
  expect(withoutOffsets(bytes, ranges).buffer).toBe(bytes.buffer);
});

test("damaged batches are left to the reader's cursor, which names the damage", () => {
  const bytes = bytesOf([{ records: 5, gap: 0 }], 10);
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  expect(withoutOffsets(bytes, [{ from: 12, to: 13 }])).toEqual(bytes);
  const short = bytes.subarray(0, bytes.length - 2);
  expect(withoutOffsets(short, [{ from: 0, to: 100 }])).toEqual(short);
});
