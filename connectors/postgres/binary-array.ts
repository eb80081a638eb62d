import { writeText } from "../../engine/short-text.ts";

/**
 * One-dimensional arrays in Postgres' binary format, as parameters and results: array_send/array_recv in
 * src/backend/utils/adt/arrayfuncs.c. Int32 dimensions (1), flags (has nulls), element type,
 * length, lower bound (1); then each element as Int32 byte count (-1: null) and bytes. pg sends a
 * Buffer parameter as it is, in binary; the statement casts it: `$1::text[]`.
 */
const headerBytes = 20;

/** Type numbers from pg_type.dat. */
const elementType = {
  boolean: 16,
  bytea: 17,
  int8: 20,
  int4: 23,
  text: 25,
  float8: 701,
} as const;

type Nullable<T> = T | null | undefined;

function header(
  buffer: Buffer,
  type: number,
  values: readonly unknown[] | { readonly length: number },
): number {
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(1, 4);
  buffer.writeInt32BE(type, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  return headerBytes;
}

function fixed<T>(
  type: number,
  bytes: number,
  write: (buffer: Buffer, value: T, at: number) => void,
): (values: readonly Nullable<T>[]) => Buffer {
  return (values) => {
    const buffer = Buffer.allocUnsafe(headerBytes + values.length * (4 + bytes));
    let at = header(buffer, type, values);
    for (const value of values) {
      if (value === null || value === undefined) {
        at = buffer.writeInt32BE(-1, at);
        continue;
      }
      at = buffer.writeInt32BE(bytes, at);
      write(buffer, value, at);
      at += bytes;
    }
    return at === buffer.length ? buffer : buffer.subarray(0, at);
  };
}

/** `int4[]` */
export const int4Array = fixed<number>(elementType.int4, 4, (buffer, value, at) =>
  buffer.writeInt32BE(value, at),
);

/** `int8[]` of bigints. */
export const int8Array = fixed<bigint>(elementType.int8, 8, (buffer, value, at) =>
  buffer.writeBigInt64BE(value, at),
);

/** `int8[]` of whole numbers below 2^53. */
export const int8ArrayOfNumbers = fixed<number>(elementType.int8, 8, (buffer, value, at) => {
  const high = Math.floor(value / 4_294_967_296);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(value - high * 4_294_967_296, at + 4);
});

/** `float8[]` */
export const float8Array = fixed<number>(elementType.float8, 8, (buffer, value, at) =>
  buffer.writeDoubleBE(value, at),
);

/** `boolean[]` */
export const booleanArray = fixed<boolean>(elementType.boolean, 1, (buffer, value, at) =>
  buffer.writeUInt8(value ? 1 : 0, at),
);

/** `bytea[]` */
export function byteaArray(values: readonly Nullable<Uint8Array>[]): Buffer {
  let size = headerBytes;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, elementType.bytea, values);
  for (const value of values) {
    if (value === null || value === undefined) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    at = buffer.writeInt32BE(value.length, at);
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

/** Four characters, each of a byte: an element's Int32 byte count. */
const countOf = (bytes: number): string =>
  String.fromCharCode(bytes >>> 24, (bytes >>> 16) & 255, (bytes >>> 8) & 255, bytes & 255);

const nullCount = countOf(-1);
const shortCounts = Array.from({ length: 256 }, (_, bytes) => countOf(bytes));

/**
 * `text[]`, UTF-8. Texts are ASCII, mostly: joined with their byte counts, which is a character for
 * each byte, they are written by one call, in half of the time that one call for each takes.
 */
export function textArray(values: readonly Nullable<string>[]): Buffer {
  let all = "";
  let counts = "";
  for (const value of values) {
    if (value === null || value === undefined) {
      all += nullCount;
      counts += nullCount;
      continue;
    }
    const { length } = value;
    const count = shortCounts[length] ?? countOf(length);
    all += count;
    all += value;
    if (length > 127) counts += count;
  }
  if (extraBytes(all) !== extraBytes(counts)) return wideTextArray(values);
  const buffer = Buffer.allocUnsafe(headerBytes + all.length);
  buffer.write(all, header(buffer, elementType.text, values), "latin1");
  return buffer;
}

/** What the characters above 0x7f take more than a byte each in UTF-8. */
const extraBytes = (text: string): number => Buffer.byteLength(text, "utf8") - text.length;

function wideTextArray(values: readonly Nullable<string>[]): Buffer {
  let size = headerBytes;
  // Three bytes are the most that a UTF-16 unit takes in UTF-8.
  for (const value of values) size += 4 + (value?.length ?? 0) * 3;
  const buffer = Buffer.allocUnsafe(size);
  let at = header(buffer, elementType.text, values);
  for (const value of values) {
    if (value === null || value === undefined) {
      at = buffer.writeInt32BE(-1, at);
      continue;
    }
    const written = writeText(buffer, value, at + 4);
    buffer.writeInt32BE(written, at);
    at += 4 + written;
  }
  return buffer.subarray(0, at);
}

/** Reads an element at an offset. */
export type ReadElement<T> = (bytes: Buffer, at: number, length: number) => T;

export const readText: ReadElement<string> = (bytes, at, length) =>
  bytes.toString("utf8", at, at + length);
export const readInt4: ReadElement<number> = (bytes, at) => bytes.readInt32BE(at);
export const readInt8: ReadElement<bigint> = (bytes, at) => bytes.readBigInt64BE(at);
export const readInt8AsNumber: ReadElement<number> = (bytes, at) =>
  bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4);
export const readFloat8: ReadElement<number> = (bytes, at) => bytes.readDoubleBE(at);
export const readBoolean: ReadElement<boolean> = (bytes, at) => bytes[at] === 1;

/** The elements of an array that `array_send` made. */
export function readArray<T>(bytes: Buffer, read: ReadElement<T>): (T | null)[] {
  const dimensions = bytes.readInt32BE(0);
  if (dimensions === 0) return [];
  const elements: (T | null)[] = [];
  const count = bytes.readInt32BE(12);
  let at = headerBytes;
  for (let index = 0; index < count; index += 1) {
    const length = bytes.readInt32BE(at);
    at += 4;
    elements.push(length < 0 ? null : read(bytes, at, length));
    if (length > 0) at += length;
  }
  return elements;
}
