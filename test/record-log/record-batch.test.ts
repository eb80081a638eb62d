import { expect, test } from "vitest";

import { crc32c } from "../../engine/record-batch/crc32c.ts";
import { batchLayout, encodeRecordBatch, RecordCursor } from "../../engine/record-batch/index.ts";

/**
 * Put together by hand from the protocol's description; the checksum was computed bit by bit, by
 * another program.
 */
const golden = Buffer.from(
  [
    "0000000000000005", // base offset
    "0000004a", // length of what follows: 74
    "ffffffff", // leader epoch
    "02", // magic
    "6cf2601a", // checksum
    "0000", // attributes
    "00000001", // last offset delta
    "0000018bcfe56800", // base timestamp: 1700000000000
    "0000018bcfe568c8", // largest timestamp: 200 ms later
    "ffffffffffffffff", // producer id
    "ffff", // producer epoch
    "ffffffff", // base sequence
    "00000002", // count
    "1c", // length 14
    "00", // attributes
    "00", // timestamp delta 0
    "00", // offset delta 0
    "026b", // key "k"
    "047631", // value "v1"
    "02", // one header
    "0268", // name "h"
    "043432", // value "42"
    "12", // length 9
    "00", // attributes
    "9003", // timestamp delta 200
    "02", // offset delta 1
    "01", // key null
    "01", // value null
    "02", // one header
    "00", // name ""
    "01", // value null
  ].join(""),
  "hex",
);

const records = [
  {
    timestampMs: 1_700_000_000_000,
    key: Buffer.from("k"),
    value: Buffer.from("v1"),
    headers: [{ name: "h", value: Buffer.from("42") }],
  },
  {
    timestampMs: 1_700_000_000_200,
    key: null,
    value: null,
    headers: [{ name: "", value: null }],
  },
];

const at = (offset: number) => ({
  timestampMs: offset,
  key: null,
  value: Buffer.from(String(offset)),
  headers: [],
});

/** A cursor on the golden batch with some bytes changed. */
function changed(change: (bytes: Buffer) => void): RecordCursor {
  const bytes = Buffer.from(golden);
  change(bytes);
  const cursor = new RecordCursor();
  cursor.reset(bytes, 0);
  return cursor;
}

test("the checksum is CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  // RFC 3720, appendix B.4.
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
});

test("encodes the bytes that the protocol describes", () => {
  const bytes = encodeRecordBatch({ baseOffset: 5, records });
  expect(bytes.toString("hex")).toBe(golden.toString("hex"));
});

test("reads key, value, time and headers where they stand", () => {
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(golden, 0);
  expect(cursor.next()).toBe(true);
  expect([cursor.offset, cursor.timestampMs]).toEqual([5, 1_700_000_000_000]);
  expect(golden.toString("utf8", cursor.keyStart, cursor.keyEnd)).toBe("k");
  expect(golden.toString("utf8", cursor.valueStart, cursor.valueEnd)).toBe("v1");
  expect(cursor.headerText("h")).toBe("42");
  expect(cursor.headerNumber("h")).toBe(42);
  expect(cursor.headerIs("h", Buffer.from("42"))).toBe(true);
  const isKey = (key: string) => cursor.keyIs(Buffer.from(key));
  expect(["k", "v", "kk", ""].map(isKey)).toEqual([true, false, false, false]);
  expect(cursor.next()).toBe(true);
  expect([cursor.offset, cursor.timestampMs]).toEqual([6, 1_700_000_000_200]);
  expect([cursor.keyStart, cursor.keyEnd, cursor.valueStart, cursor.valueEnd]).toEqual([
    -1, -1, -1, -1,
  ]);
  expect(isKey("")).toBe(false);
  expect(cursor.record()).toEqual(records[1]);
  expect(cursor.next()).toBe(false);
});

test("passes over records and whole batches below the offset asked for", () => {
  const bytes = Buffer.concat([
    encodeRecordBatch({ baseOffset: 0, records: [at(0), at(1)] }),
    encodeRecordBatch({ baseOffset: 2, records: [at(2), at(3), at(4)] }),
    encodeRecordBatch({ baseOffset: 9, records: [at(9)] }),
  ]);
  const cursor = new RecordCursor();
  cursor.reset(bytes, 3n);
  const offsets: number[] = [];
  while (cursor.next()) offsets.push(cursor.offset);
  expect(offsets).toEqual([3, 4, 9]);
});

test("passes over control batches and takes the log's time where the batch says so", () => {
  const control = encodeRecordBatch({ baseOffset: 0, records: [at(0)] });
  control.writeInt16BE(0x20, batchLayout.attributes);
  const stamped = encodeRecordBatch({ baseOffset: 1, records: [at(1), at(2)] });
  stamped.writeInt16BE(0x08, batchLayout.attributes);
  stamped.writeBigInt64BE(77n, batchLayout.maxTimestamp);
  const cursor = new RecordCursor();
  cursor.reset(Buffer.concat([control, stamped]), 0);
  const times: (readonly [number, number])[] = [];
  while (cursor.next()) times.push([cursor.offset, cursor.timestampMs]);
  expect(times).toEqual([
    [1, 77],
    [2, 77],
  ]);
});

test.each(["", "-1", "1.5", "9007199254740992", "12345678901234567", " 1"])(
  "a header %j is no number",
  (text) => {
    const value = Buffer.from(text);
    const record = { ...at(0), headers: [{ name: "ce_sequence", value }] };
    const cursor = new RecordCursor();
    cursor.reset(encodeRecordBatch({ baseOffset: 0, records: [record] }), 0);
    cursor.next();
    expect(cursor.headerNumber("ce_sequence")).toBeNaN();
    expect(cursor.headerNumber("ce_position")).toBe(-1);
  },
);

test("the largest sequence that is exact is read as it is", () => {
  const value = Buffer.from(String(Number.MAX_SAFE_INTEGER));
  const record = { ...at(0), headers: [{ name: "ce_sequence", value }] };
  const cursor = new RecordCursor();
  cursor.reset(encodeRecordBatch({ baseOffset: 0, records: [record] }), 0);
  cursor.next();
  expect(cursor.headerNumber("ce_sequence")).toBe(Number.MAX_SAFE_INTEGER);
});

test.each([
  ["another version", (bytes: Buffer) => bytes.writeInt8(1, batchLayout.magic)],
  ["a length beyond the bytes", (bytes: Buffer) => bytes.writeInt32BE(75, batchLayout.length)],
  ["a negative length", (bytes: Buffer) => bytes.writeInt32BE(-1, batchLayout.length)],
  ["more records than bytes", (bytes: Buffer) => bytes.writeInt32BE(9, batchLayout.count)],
  ["fewer records than bytes", (bytes: Buffer) => bytes.writeInt32BE(1, batchLayout.count)],
  ["a record beyond the batch", (bytes: Buffer) => bytes.writeUInt8(0x7e, batchLayout.records)],
  ["a key beyond the record", (bytes: Buffer) => bytes.writeUInt8(0x7e, batchLayout.records + 4)],
  ["a length below -1", (bytes: Buffer) => bytes.writeUInt8(0x03, batchLayout.records + 4)],
])("refuses %s by name", (_, change) => {
  const cursor = changed(change);
  expect(() => {
    while (cursor.next()) cursor.headers();
  }).toThrow(expect.objectContaining({ code: "batch-corrupt" }));
});

test("refuses compressed records by name", () => {
  const cursor = changed((bytes) => bytes.writeInt16BE(1, batchLayout.attributes));
  expect(() => cursor.next()).toThrow(expect.objectContaining({ code: "batch-unsupported" }));
});

test("finds a changed byte when it verifies checksums", () => {
  const bytes = Buffer.from(golden);
  bytes[70] = (bytes[70] as number) ^ 1;
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(bytes, 0);
  expect(() => cursor.next()).toThrow(/checksum/);
});
