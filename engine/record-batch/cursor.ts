import type { RecordHeader, RecordToAppend } from "../ports/record-log.ts";
import { checkedBatchEnd, readInt64, verifyChecksum } from "./batch-header.ts";
import { CorruptBatchError } from "./corrupt-batch.ts";
import { attributeBits, batchLayout } from "./format.ts";

export interface RecordCursorOptions {
  /**
   * `structure` (the default) checks every length and count against the bytes that are there.
   * `checksum` compares each batch's CRC-32C too, at about a nanosecond a byte: for bytes that no
   * other checksum has guarded on their way (Postgres has one on each page).
   */
  readonly verify?: "structure" | "checksum";
}

const noBytes = Buffer.alloc(0);

/**
 * Walks records of whole, uncompressed batches (Kafka's RecordBatch v2) without making an object
 * for each: after `next()` the fields tell of the current record, as plain numbers into `bytes`.
 * One cursor is used again for all the bytes that a reader gets.
 *
 * Headers are read only when asked for, in the order in which they stand: the first is the
 * cheapest. Where a name stands several times, the first one counts.
 */
export class RecordCursor {
  /** What the cursor walks; valid until the next `reset`. */
  bytes: Buffer = noBytes;
  /** Offset of the current record in its partition. */
  offset = -1;
  /** Milliseconds since 1970 (UTC). */
  timestampMs = -1;
  /** Start and end of the key in `bytes`; both -1 for null. */
  keyStart = -1;
  keyEnd = -1;
  /** Start and end of the value in `bytes`; both -1 for null. */
  valueStart = -1;
  valueEnd = -1;
  /** End of the header that `headerStart` found. */
  headerEnd = -1;

  readonly #verify: "structure" | "checksum";
  readonly #names = new Map<string, Buffer>();
  #name = "";
  #nameBytes: Buffer = noBytes;
  #from = 0;
  #at = 0;
  #batchEnd = 0;
  #left = 0;
  #baseOffset = 0;
  #baseTimestampMs = 0;
  /** Set where the log's own time counts for the whole batch; otherwise NaN. */
  #logTimestampMs = Number.NaN;
  #headersAt = 0;
  #recordEnd = 0;

  constructor(options: RecordCursorOptions = {}) {
    this.#verify = options.verify ?? "structure";
  }

  /** Begins with other bytes: whole batches. Records below `fromOffset` are passed over. */
  reset(bytes: Buffer, fromOffset: bigint | number): void {
    this.bytes = bytes;
    this.#from = Number(fromOffset);
    this.#at = 0;
    this.#batchEnd = 0;
    this.#left = 0;
    this.#headersAt = 0;
    this.#recordEnd = 0;
    this.offset = -1;
  }

  /**
   * Moves to the next record; false at the end of the bytes.
   *
   * @throws CorruptBatchError, after which the cursor must be reset.
   * @throws UnsupportedBatchError where the batch is compressed.
   */
  next(): boolean {
    do {
      while (this.#left === 0) {
        if (!this.#enterBatch()) return false;
      }
      this.#readRecord();
    } while (this.offset < this.#from);
    return true;
  }

  /** Where the header's value starts in `bytes` (its end is `headerEnd`); -1: none, or null. */
  headerStart(name: string): number {
    const wanted = name === this.#name ? this.#nameBytes : this.#encodeName(name);
    const recordBatchAt = this.#at;
    this.#at = this.#headersAt;
    const found = this.#findHeader(wanted);
    this.#at = recordBatchAt;
    return found;
  }

  /** The header's value as UTF-8 text; undefined: none, or null. */
  headerText(name: string): string | undefined {
    const start = this.headerStart(name);
    return start < 0 ? undefined : this.bytes.toString("utf8", start, this.headerEnd);
  }

  /**
   * The header's value, decimal text of a whole number that isn't negative, without making a
   * string: -1 where there is none, NaN where it is something else or above 2^53 - 1.
   */
  headerNumber(name: string): number {
    const start = this.headerStart(name);
    if (start < 0) return -1;
    const { bytes, headerEnd } = this;
    if (start === headerEnd || headerEnd - start > 16) return Number.NaN;
    let value = 0;
    for (let at = start; at < headerEnd; at += 1) {
      const digit = (bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = value * 10 + digit;
    }
    return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
  }

  /** Has the header exactly these bytes? For comparing each record with a value known before. */
  headerIs(name: string, value: Uint8Array): boolean {
    const start = this.headerStart(name);
    if (start < 0 || this.headerEnd - start !== value.length) return false;
    return sameBytes(this.bytes, start, value);
  }

  /** Has the record exactly this key? */
  keyIs(key: Uint8Array): boolean {
    const { keyStart, keyEnd } = this;
    return (
      keyStart >= 0 && keyEnd - keyStart === key.length && sameBytes(this.bytes, keyStart, key)
    );
  }

  /** All headers of the current record, in order; the values are copies. */
  headers(): RecordHeader[] {
    const recordBatchAt = this.#at;
    this.#at = this.#headersAt;
    const found: RecordHeader[] = [];
    for (let left = this.#headerCount(); left > 0; left -= 1) {
      const nameStart = this.#headerName();
      const name = this.bytes.toString("utf8", nameStart, this.#at);
      const start = this.#headerValue();
      found.push({ name, value: start < 0 ? null : this.#copy(start, this.headerEnd) });
    }
    this.#at = recordBatchAt;
    return found;
  }

  /** The current record as an object of its own: for what is rare (dead letters, people). */
  record(): RecordToAppend {
    return {
      timestampMs: this.timestampMs,
      key: this.keyStart < 0 ? null : this.#copy(this.keyStart, this.keyEnd),
      value: this.valueStart < 0 ? null : this.#copy(this.valueStart, this.valueEnd),
      headers: this.headers(),
    };
  }

  #copy(start: number, end: number): Buffer {
    return Buffer.from(this.bytes.subarray(start, end));
  }

  #enterBatch(): boolean {
    const { bytes } = this;
    const start = this.#batchEnd;
    if (this.#at !== start) this.#fail("it has more bytes than records");
    if (start >= bytes.length) return false;
    const end = checkedBatchEnd(bytes, start);
    this.#at = end;
    this.#batchEnd = end;
    this.#baseOffset = readInt64(bytes, start);
    const lastOffset = this.#baseOffset + bytes.readInt32BE(start + batchLayout.lastOffsetDelta);
    const attributes = bytes.readInt16BE(start + batchLayout.attributes);
    // Control batches mark the ends of transactions; their records are nobody's.
    if (lastOffset < this.#from || (attributes & attributeBits.control) !== 0) return true;
    if (this.#verify === "checksum") verifyChecksum(bytes, start, end);
    this.#baseTimestampMs = readInt64(bytes, start + batchLayout.baseTimestamp);
    this.#logTimestampMs =
      (attributes & attributeBits.logAppendTime) === 0
        ? Number.NaN
        : readInt64(bytes, start + batchLayout.maxTimestamp);
    this.#left = bytes.readInt32BE(start + batchLayout.count);
    this.#at = start + batchLayout.records;
    return true;
  }

  #readRecord(): void {
    this.#left -= 1;
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#batchEnd) this.#fail("a record reaches beyond the batch");
    this.#recordEnd = end;
    this.#at += 1;
    const timestampDelta = this.#varint();
    this.timestampMs =
      this.#logTimestampMs === this.#logTimestampMs
        ? this.#logTimestampMs
        : this.#baseTimestampMs + timestampDelta;
    this.offset = this.#baseOffset + this.#varint();
    this.keyStart = this.#field();
    this.keyEnd = this.keyStart < 0 ? -1 : this.#at;
    this.valueStart = this.#field();
    this.valueEnd = this.valueStart < 0 ? -1 : this.#at;
    // A field that says too much has moved past the record's end, even where bytes were missing.
    if (this.#at >= end) this.#fail("a record's key or value reaches beyond the record");
    this.#headersAt = this.#at;
    this.#at = end;
  }

  /** Passes a field with its length before it; gives its start, or -1 for null. */
  #field(): number {
    const length = this.#varint();
    if (length < 0) {
      if (length !== -1) this.#fail(`a length is ${length}`);
      return -1;
    }
    const start = this.#at;
    this.#at = start + length;
    return start;
  }

  #findHeader(wanted: Buffer): number {
    const { bytes } = this;
    const size = wanted.length;
    for (let left = this.#headerCount(); left > 0; left -= 1) {
      const nameStart = this.#headerName();
      const matches = this.#at - nameStart === size && sameBytes(bytes, nameStart, wanted);
      const start = this.#headerValue();
      if (matches) return start;
    }
    return -1;
  }

  #headerCount(): number {
    const count = this.#varint();
    // The smallest header has two bytes: the two lengths.
    if (count < 0 || count * 2 > this.#recordEnd - this.#at) {
      this.#fail(`a record claims ${count} headers`);
    }
    return count;
  }

  #headerName(): number {
    const start = this.#field();
    if (start < 0 || this.#at > this.#recordEnd) this.#fail("a header's name is not whole");
    return start;
  }

  #headerValue(): number {
    const start = this.#field();
    if (this.#at > this.#recordEnd) this.#fail("a header's value reaches beyond the record");
    this.headerEnd = start < 0 ? -1 : this.#at;
    return start;
  }

  #encodeName(name: string): Buffer {
    let bytes = this.#names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name, "utf8");
      // Names come from code; the bound only guards against names that come from data.
      if (this.#names.size < 64) this.#names.set(name, bytes);
    }
    this.#name = name;
    this.#nameBytes = bytes;
    return bytes;
  }

  /** A zigzag varint of up to ten bytes, exact to 2^53. Beyond the bytes it reads zeros. */
  #varint(): number {
    const first = this.bytes[this.#at] as number;
    if (first < 0x80) {
      this.#at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    return this.#fail("a number has more than ten bytes");
  }

  #fail(what: string): never {
    throw new CorruptBatchError(what, { baseOffset: this.#baseOffset, byte: this.#at });
  }
}

function sameBytes(bytes: Buffer, start: number, expected: Uint8Array): boolean {
  for (let index = expected.length - 1; index >= 0; index -= 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}
