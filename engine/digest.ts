import type { AnyRow, ColumnKind, Columns } from "./columns.ts";
import { InvariantViolation } from "./errors.ts";
import { writeText } from "./short-text.ts";

/**
 * Digests of read models, free of order: a bucket's digest is the sum, modulo 2^64, of its rows'
 * hashes, and the number of its rows. A changed row takes its old hash out and puts the new one in.
 *
 * A row's hash is taken over its canonical encoding: the key as text, then each column in order of
 * its name (by UTF-16 code units): a byte 0 for null, or a byte 1 and the value. Numbers are little
 * endian.
 *
 * | kind      | encoding                                                            |
 * |-----------|---------------------------------------------------------------------|
 * | text      | length of the UTF-8 bytes (4 bytes), the bytes                      |
 * | integer   | 4 bytes, signed                                                     |
 * | bigint    | 8 bytes, signed                                                     |
 * | double    | 8 bytes, IEEE 754; -0 as 0, every NaN as 0x7ff8000000000000         |
 * | boolean   | 1 byte                                                              |
 * | timestamp | milliseconds as a double's 8 bytes                                  |
 * | json      | as text: without blanks, keys sorted by UTF-16 code units           |
 *
 * The hash is MurmurHash3 x86 128 (Austin Appleby, public domain) with seed 0, of which the first
 * 64 bits count: h1 is the low half, h2 the high one.
 */
export const digestBuckets = 256;

export interface BucketDigest {
  readonly hash: bigint;
  readonly rows: number;
}

const mask64 = (1n << 64n) - 1n;

/** Hashes rows of some columns; one is used again for all rows, and allocates nothing for each. */
export class RowHasher {
  /** The hash that `hash` found last: two unsigned halves. */
  low = 0;
  high = 0;

  readonly #columns: readonly (readonly [name: string, kind: ColumnKind])[];
  #buffer = Buffer.allocUnsafe(1_024);
  /** The same bytes: the compiler makes one instruction of a word that is read through it. */
  #view = viewOf(this.#buffer);
  #at = 0;
  /** The key at the buffer's beginning, which a change needs three times, and where it ends. */
  #key: string | undefined;
  #keyEnd = 0;

  constructor(columns: Columns) {
    this.#columns = Object.keys(columns)
      .sort()
      .map((name) => [name, kindOf(columns, name)] as const);
  }

  /** Sets `low` and `high`. A column that the row lacks counts as null. */
  hash(key: string, row: AnyRow): void {
    this.#begin(key);
    for (const [name, kind] of this.#columns) {
      const value = row[name];
      this.#room(9);
      if (value === null || value === undefined) {
        this.#buffer[this.#at++] = 0;
      } else {
        this.#buffer[this.#at++] = 1;
        this.#value(kind, value);
      }
    }
    this.#murmur();
  }

  /** Which of the 256 buckets a key belongs to. Leaves `low` and `high` changed. */
  bucket(key: string): number {
    this.#begin(key);
    this.#murmur();
    return this.low & (digestBuckets - 1);
  }

  /** The hash that `hash` found last, as one number. */
  get value(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  #begin(key: string): void {
    if (key !== this.#key) {
      this.#at = 0;
      this.#text(key);
      this.#key = key;
      this.#keyEnd = this.#at;
    }
    this.#at = this.#keyEnd;
  }

  #value(kind: ColumnKind, value: unknown): void {
    switch (kind) {
      case "text":
        return this.#text(value as string);
      case "integer":
        this.#at = this.#buffer.writeInt32LE(value as number, this.#at);
        return;
      case "bigint":
        this.#at = this.#buffer.writeBigInt64LE(value as bigint, this.#at);
        return;
      case "double":
      case "timestamp":
        return this.#double(value as number);
      case "boolean":
        this.#buffer[this.#at++] = value === true ? 1 : 0;
        return;
      case "json":
        return this.#text(canonicalJson(value));
    }
  }

  #double(value: number): void {
    if (value !== value) this.#at = this.#buffer.writeBigInt64LE(0x7ff8000000000000n, this.#at);
    else this.#at = this.#buffer.writeDoubleLE(value === 0 ? 0 : value, this.#at);
  }

  #text(value: string): void {
    // A UTF-16 code unit has at most three bytes in UTF-8.
    this.#room(value.length * 3 + 4);
    const bytes = writeText(this.#buffer, value, this.#at + 4);
    this.#buffer.writeUInt32LE(bytes, this.#at);
    this.#at += 4 + bytes;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }

  #murmur(): void {
    const state = murmur3(this.#view, this.#at);
    this.low = state[0] as number;
    this.high = state[1] as number;
  }
}

/** Collects what a flush changes in the buckets. */
export class DigestDeltas {
  readonly #hasher: RowHasher;
  readonly #low = new Float64Array(digestBuckets);
  readonly #high = new Float64Array(digestBuckets);
  readonly #rows = new Int32Array(digestBuckets);
  readonly #touched = new Uint8Array(digestBuckets);

  /** @param hasher One to share, where there are several of these. */
  constructor(columns: Columns, hasher = new RowHasher(columns)) {
    this.#hasher = hasher;
  }

  /** Takes the row before out and puts the one after in; false when their hashes are equal. */
  change(key: string, before: AnyRow | undefined, after: AnyRow | undefined): boolean {
    const hasher = this.#hasher;
    const bucket = hasher.bucket(key);
    let low = 0;
    let high = 0;
    if (before) {
      hasher.hash(key, before);
      low -= hasher.low;
      high -= hasher.high;
    }
    if (after) {
      hasher.hash(key, after);
      low += hasher.low;
      high += hasher.high;
    }
    const rows = Number(after !== undefined) - Number(before !== undefined);
    if (low === 0 && high === 0 && rows === 0) return false;
    // Halves are summed apart as whole numbers: exact for 2^20 changes of one bucket in a flush.
    this.#low[bucket] = (this.#low[bucket] as number) + low;
    this.#high[bucket] = (this.#high[bucket] as number) + high;
    this.#rows[bucket] = (this.#rows[bucket] as number) + rows;
    this.#touched[bucket] = 1;
    return true;
  }

  /** What was collected, by bucket; begins anew. */
  take(): { bucket: number; hash: bigint; rows: number }[] {
    const taken: { bucket: number; hash: bigint; rows: number }[] = [];
    for (let bucket = 0; bucket < digestBuckets; bucket += 1) {
      if (this.#touched[bucket] === 0) continue;
      const low = BigInt(this.#low[bucket] as number);
      const high = BigInt(this.#high[bucket] as number);
      taken.push({
        bucket,
        hash: ((high << 32n) + low) & mask64,
        rows: this.#rows[bucket] as number,
      });
    }
    this.#low.fill(0);
    this.#high.fill(0);
    this.#rows.fill(0);
    this.#touched.fill(0);
    return taken;
  }
}

/** `DigestDeltas` of each partition apart. */
export class PartitionDigests {
  readonly #columns: Columns;
  readonly #hasher: RowHasher;
  readonly #partitions = new Map<number, DigestDeltas>();

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#hasher = new RowHasher(columns);
  }

  /** As `DigestDeltas.change`. */
  change(row: {
    readonly key: string;
    readonly partition: number;
    readonly before: AnyRow | undefined;
    readonly after: AnyRow | undefined;
  }): boolean {
    let deltas = this.#partitions.get(row.partition);
    if (deltas === undefined) {
      deltas = new DigestDeltas(this.#columns, this.#hasher);
      this.#partitions.set(row.partition, deltas);
    }
    return deltas.change(row.key, row.before, row.after);
  }

  /** What was collected; begins anew. */
  take(): { partition: number; bucket: number; hash: bigint; rows: number }[] {
    return [...this.#partitions].flatMap(([partition, deltas]) =>
      deltas.take().map((delta) => ({ partition, ...delta })),
    );
  }
}

/** The digests of some rows, counted from nothing: what a store's stored ones must be equal to. */
export function digestsOf(
  columns: Columns,
  rows: Iterable<{ readonly key: string; readonly row: AnyRow }>,
): ReadonlyMap<number, BucketDigest> {
  const deltas = new DigestDeltas(columns);
  const digests = new Map<number, BucketDigest>();
  for (const { key, row } of rows) deltas.change(key, undefined, row);
  for (const { bucket, hash, rows: count } of deltas.take()) {
    digests.set(bucket, { hash, rows: count });
  }
  return digests;
}

/** JSON text without blanks, with sorted keys: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([one], [two]) => (one < two ? -1 : 1)));
  });
}

function kindOf(columns: Columns, name: string): ColumnKind {
  const column = columns[name];
  if (!column) throw new InvariantViolation(`The column ${name} is gone.`);
  return column.kind;
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView =>
  new DataView(buffer, byteOffset, length);

const state = new Uint32Array(4);
const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;
const lane1: Lane = { first: c1, second: c2, by: 15 };
const lane2: Lane = { first: c2, second: c3, by: 16 };
const lane3: Lane = { first: c3, second: c4, by: 17 };
const lane4: Lane = { first: c4, second: c1, by: 18 };

/** MurmurHash3 x86 128 of the first `length` bytes; the result is overwritten by the next call. */
function murmur3(bytes: DataView, length: number): Uint32Array {
  const tail = length & 15;
  const padded = length - tail;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let at = 0; at < padded; at += 16) {
    h1 ^= mixed(word(bytes, at), lane1);
    h1 = (Math.imul(rotated(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= mixed(word(bytes, at + 4), lane2);
    h2 = (Math.imul(rotated(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= mixed(word(bytes, at + 8), lane3);
    h3 = (Math.imul(rotated(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= mixed(word(bytes, at + 12), lane4);
    h4 = (Math.imul(rotated(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  if (tail > 12) h4 ^= mixed(partialWord(bytes, padded + 12, tail - 12), lane4);
  if (tail > 8) h3 ^= mixed(partialWord(bytes, padded + 8, tail - 8), lane3);
  if (tail > 4) h2 ^= mixed(partialWord(bytes, padded + 4, tail - 4), lane2);
  if (tail > 0) h1 ^= mixed(partialWord(bytes, padded, tail), lane1);
  return finished(h1 ^ length, h2 ^ length, { h3: h3 ^ length, h4: h4 ^ length });
}

function finished(h1: number, h2: number, rest: { h3: number; h4: number }): Uint32Array {
  let { h3, h4 } = rest;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h3 = avalanche(h3);
  h4 = avalanche(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  state[0] = h1;
  state[1] = h2 + h1;
  return state;
}

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** One lane's step: two multipliers of the algorithm and a rotation. */
interface Lane {
  readonly first: number;
  readonly second: number;
  readonly by: number;
}

const mixed = (value: number, lane: Lane): number =>
  Math.imul(rotated(Math.imul(value, lane.first), lane.by), lane.second);

function avalanche(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const word = (bytes: DataView, at: number): number => bytes.getInt32(at, true);

function partialWord(bytes: DataView, at: number, length: number): number {
  const count = Math.min(4, length);
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    value |= bytes.getUint8(at + index) << (8 * index);
  }
  return value;
}
