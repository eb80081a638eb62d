import type { RecordHeader, RecordToAppend } from "../ports/record-log.ts";
import { writeInt64 } from "./batch-header.ts";
import { crc32c } from "./crc32c.ts";
import { batchLayout, lengthPrefixBytes, magic } from "./format.ts";

/** More than any varint of a number below 2^53 takes. */
const varintBytesMax = 8;

const copiedByHandMax = 48;

/** Who appends a batch, for a log that takes each batch of a producer once and in order. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the batch's first record among all that the producer appends to its partition. */
  readonly baseSequence: number;
}

/**
 * Writes batches in Kafka's RecordBatch v2 format, uncompressed, one record after the other, into
 * one buffer that is used again for each batch. A record gets the offset after the one before it.
 */
export class RecordBatchWriter {
  #buffer: Buffer;
  #at: number = batchLayout.records;
  #count = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;
  readonly #names = new Map<string, Buffer>();

  constructor(initialBytes = 4_096) {
    this.#buffer = Buffer.allocUnsafe(Math.max(initialBytes, batchLayout.records));
  }

  /** Records in the batch so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch so far, its header included. */
  get byteLength(): number {
    return this.#at;
  }

  get maxTimestampMs(): number {
    return this.#maxTimestampMs;
  }

  add(record: RecordToAppend): void {
    const { timestampMs, key, value, headers } = record;
    if (this.#count === 0) {
      this.#baseTimestampMs = timestampMs;
      this.#maxTimestampMs = timestampMs;
    } else if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs;
    const names = headers.map((header) => this.#nameBytes(header.name));
    const timestampDelta = timestampMs - this.#baseTimestampMs;
    let size = 1 + varintSize(timestampDelta) + varintSize(this.#count);
    size += fieldSize(key) + fieldSize(value) + headersSize(names, headers);
    this.#reserve(varintBytesMax + size);
    this.#varint(size);
    this.#buffer[this.#at] = 0;
    this.#at += 1;
    this.#varint(timestampDelta);
    this.#varint(this.#count);
    this.#field(key);
    this.#field(value);
    this.#varint(headers.length);
    for (let index = 0; index < headers.length; index += 1) {
      this.#field(names[index] ?? null);
      this.#field(headers[index]?.value ?? null);
    }
    this.#count += 1;
  }

  /** The batch as bytes of their own; the writer begins another. There must be a record in it. */
  finish(baseOffset: number, producer?: BatchProducer): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#at));
    writeInt64(bytes, baseOffset, batchLayout.baseOffset);
    bytes.writeInt32BE(bytes.length - lengthPrefixBytes, batchLayout.length);
    bytes.writeInt32BE(-1, batchLayout.leaderEpoch);
    bytes.writeInt8(magic, batchLayout.magic);
    bytes.writeInt16BE(0, batchLayout.attributes);
    bytes.writeInt32BE(this.#count - 1, batchLayout.lastOffsetDelta);
    writeInt64(bytes, this.#baseTimestampMs, batchLayout.baseTimestamp);
    writeInt64(bytes, this.#maxTimestampMs, batchLayout.maxTimestamp);
    // No producer id, epoch and sequence: all bits set, as Kafka writes it.
    bytes.fill(0xff, batchLayout.producerId, batchLayout.count);
    if (producer) {
      bytes.writeBigInt64BE(producer.producerId, batchLayout.producerId);
      bytes.writeInt16BE(producer.producerEpoch, batchLayout.producerEpoch);
      bytes.writeInt32BE(producer.baseSequence, batchLayout.baseSequence);
    }
    bytes.writeInt32BE(this.#count, batchLayout.count);
    bytes.writeUInt32BE(crc32c(bytes, batchLayout.attributes), batchLayout.checksum);
    this.#at = batchLayout.records;
    this.#count = 0;
    return bytes;
  }

  #nameBytes(name: string): Buffer {
    let bytes = this.#names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name, "utf8");
      if (this.#names.size < 256) this.#names.set(name, bytes);
    }
    return bytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }

  #field(value: Uint8Array | null): void {
    if (value === null) {
      this.#varint(-1);
      return;
    }
    const { length } = value;
    this.#varint(length);
    const buffer = this.#buffer;
    const start = this.#at;
    // Below some size a call into the runtime costs more than the bytes.
    if (length <= copiedByHandMax) {
      for (let index = 0; index < length; index += 1)
        buffer[start + index] = value[index] as number;
    } else buffer.set(value, start);
    this.#at = start + length;
  }

  #varint(value: number): void {
    if (value >= -64 && value < 64) {
      this.#buffer[this.#at] = (value << 1) ^ (value >> 31);
      this.#at += 1;
      return;
    }
    let rest = zigzag(value);
    const buffer = this.#buffer;
    while (rest > 0x7f) {
      buffer[this.#at] = (rest % 128) | 0x80;
      this.#at += 1;
      rest = Math.floor(rest / 128);
    }
    buffer[this.#at] = rest;
    this.#at += 1;
  }
}

/** One batch of some records, at least one. */
export function encodeRecordBatch(batch: {
  readonly baseOffset: bigint | number;
  readonly records: readonly RecordToAppend[];
}): Buffer {
  const writer = new RecordBatchWriter();
  for (const record of batch.records) writer.add(record);
  return writer.finish(Number(batch.baseOffset));
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function varintSize(value: number): number {
  if (value >= -64 && value < 64) return 1;
  let size = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function fieldSize(value: Uint8Array | null): number {
  return value === null ? 1 : varintSize(value.length) + value.length;
}

function headersSize(names: readonly Buffer[], headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length);
  for (const name of names) size += fieldSize(name);
  for (const header of headers) size += fieldSize(header.value);
  return size;
}
