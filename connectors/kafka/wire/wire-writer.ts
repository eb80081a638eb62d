import { writeInt64 } from "../../../engine/record-batch/batch-header.ts";

/**
 * Writes Kafka's primitive types, big endian
 * (https://kafka.apache.org/protocol.html#protocol_types). "Compact" are the forms of flexible
 * versions (KIP-482): lengths as unsigned varints, one more than the length, 0 for null.
 */
export class WireWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** What was written, without a copy: the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  int8(value: number): this {
    this.#reserve(1);
    this.#at = this.#buffer.writeInt8(value, this.#at);
    return this;
  }

  int16(value: number): this {
    this.#reserve(2);
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
    return this;
  }

  int32(value: number): this {
    this.#reserve(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
    return this;
  }

  /** A whole number, exact below 2^53. */
  int64(value: number): this {
    this.#reserve(8);
    writeInt64(this.#buffer, value, this.#at);
    this.#at += 8;
    return this;
  }

  bigInt64(value: bigint): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeBigInt64BE(value, this.#at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  varint(value: number): this {
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#at] = (rest & 0x7f) | 0x80;
      this.#at += 1;
      rest >>>= 7;
    }
    this.#buffer[this.#at] = rest;
    this.#at += 1;
    return this;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.from(value, "utf8");
    return this.int16(bytes.length).raw(bytes);
  }

  bytes(value: Uint8Array): this {
    return this.int32(value.length).raw(value);
  }

  array<Item>(items: readonly Item[], write: (writer: this, item: Item) => void): this {
    this.int32(items.length);
    for (const item of items) write(this, item);
    return this;
  }

  compactString(value: string | null): this {
    if (value === null) return this.varint(0);
    const bytes = Buffer.from(value, "utf8");
    return this.varint(bytes.length + 1).raw(bytes);
  }

  compactArray<Item>(
    items: readonly Item[] | null,
    write: (writer: this, item: Item) => void,
  ): this {
    if (items === null) return this.varint(0);
    this.varint(items.length + 1);
    for (const item of items) write(this, item);
    return this;
  }

  /** An id as Kafka prints it: 16 bytes in base64url. */
  uuid(id: string): this {
    return this.raw(Buffer.from(id, "base64url"));
  }

  /** The tagged fields at the end of each structure of a flexible version: none. */
  noTags(): this {
    return this.varint(0);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** The id that stands for none. */
export const noUuid = Buffer.alloc(16).toString("base64url");
