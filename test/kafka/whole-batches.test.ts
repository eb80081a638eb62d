import { gzipSync, zstdCompressSync } from "node:zlib";

import { expect, test } from "vitest";

import { wholeBatches } from "../../connectors/kafka/records/whole-batches.ts";
import { crc32c } from "../../engine/record-batch/crc32c.ts";
import { batchLayout, encodeRecordBatch, RecordCursor } from "../../engine/record-batch/index.ts";
import { recordOf } from "../record-log/records.ts";

const inflatedBytesMax = 1_000_000;
const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);

const batchOf = (baseOffset: number): Buffer =>
  encodeRecordBatch({ baseOffset, records: texts.map((text) => recordOf(text)) });

/** The same batch as a producer with this codec would have written it. */
function compressed(batch: Buffer, codec: number, pack: (records: Buffer) => Buffer): Buffer {
  const header = batch.subarray(0, batchLayout.records);
  const packed = Buffer.concat([header, pack(batch.subarray(batchLayout.records))]);
  packed.writeInt32BE(packed.length - 12, batchLayout.length);
  packed.writeInt16BE(codec, batchLayout.attributes);
  packed.writeUInt32BE(crc32c(packed, batchLayout.attributes), batchLayout.checksum);
  return packed;
}

function offsetsIn(bytes: Buffer): number[] {
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(bytes, 0);
  const offsets: number[] = [];
  while (cursor.next()) {
    expect(bytes.toString("utf8", cursor.valueStart, cursor.valueEnd)).toBe(
      texts[cursor.offset % texts.length],
    );
    offsets.push(cursor.offset);
  }
  return offsets;
}

const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

test("a last batch that is cut off is left for the next fetch, wherever it is cut", () => {
  const [first, second] = [batchOf(0), batchOf(20)];
  const both = Buffer.concat([first, second]);
  for (let length = 0; length <= both.length; length += 1) {
    const { bytes, nextOffset } = wholeBatches(both.subarray(0, length), inflatedBytesMax);
    const whole = length === both.length ? 2 : length >= first.length ? 1 : 0;
    expect(nextOffset).toBe(whole === 0 ? -1 : whole * 20);
    expect(bytes.length).toBe(whole * first.length);
  }
});

test("gzip and zstd are inflated beside plain batches, in order", () => {
  const zstd = compressed(batchOf(40), 4, (records) => zstdCompressSync(records));
  const gzip = compressed(batchOf(20), 1, (records) => gzipSync(records));
  const fetched = Buffer.concat([batchOf(0), gzip, zstd, batchOf(60)]);
  const { bytes, nextOffset } = wholeBatches(fetched, inflatedBytesMax);
  expect(nextOffset).toBe(80);
  expect(offsetsIn(bytes)).toEqual(upTo(80));
});

test.for([
  [2, "snappy"],
  [3, "lz4"],
] as const)("compression %i is refused by its name, %s", ([codec, name]) => {
  const batch = compressed(batchOf(7), codec, (records) => records);
  const message = expect.stringMatching(new RegExp(`base offset 7 has .* ${name}`));
  expect(() => wholeBatches(batch, inflatedBytesMax)).toThrow(
    expect.objectContaining({ code: "batch-unsupported", message }),
  );
});

test("a batch that would become larger than the limit is refused before it does", () => {
  const bomb = compressed(batchOf(0), 1, () => gzipSync(Buffer.alloc(10_000_000)));
  expect(() => wholeBatches(bomb, inflatedBytesMax)).toThrow(
    expect.objectContaining({ code: "batch-corrupt" }),
  );
});

test("offsets that compaction has taken leave gaps, and the end of the batch counts", () => {
  const batch = batchOf(10);
  // Compaction keeps a batch's range when its last records are gone.
  batch.writeInt32BE(99, batchLayout.lastOffsetDelta);
  expect(wholeBatches(batch, inflatedBytesMax).nextOffset).toBe(110);
});

test("the formats before version 2 are refused by name", () => {
  const old = batchOf(0);
  old.writeInt8(1, batchLayout.magic);
  expect(() => wholeBatches(old, inflatedBytesMax)).toThrow(/old format 1/);
});
