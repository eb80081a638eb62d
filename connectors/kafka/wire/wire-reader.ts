import { readInt64 } from "../../../engine/record-batch/batch-header.ts";

/**
 * Reads what `WireWriter` writes. Beyond the bytes it throws a RangeError: an answer that is cut
 * short is never taken for a shorter one.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int8(): number {
    const value = this.#bytes.readInt8(this.#at);
    this.#at += 1;
    return value;
  }

  int16(): number {
    const value = this.#bytes.readInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  int32(): number {
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Exact below 2^53. */
  int64(): number {
    const value = readInt64(this.#bytes, this.#at);
    this.#at += 8;
    return value;
  }

  bigInt64(): bigint {
    const value = this.#bytes.readBigInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("A length has more than five bytes.");
  }

  /** The next bytes, not copied. */
  take(length: number): Buffer {
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) {
      throw new RangeError(`The answer is cut short: ${length} bytes wanted at ${this.#at}.`);
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  string(): string {
    return this.nullableString() ?? "";
  }

  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.take(length).toString("utf8");
  }

  array<Item>(read: (reader: this) => Item): Item[] {
    return this.#items(this.int32(), read);
  }

  compactString(): string {
    return this.compactNullableString() ?? "";
  }

  compactNullableString(): string | null {
    const length = this.varint() - 1;
    return length < 0 ? null : this.take(length).toString("utf8");
  }

  /** Not copied; null and empty are the same. */
  compactBytes(): Buffer {
    return this.take(Math.max(0, this.varint() - 1));
  }

  compactArray<Item>(read: (reader: this) => Item): Item[] {
    return this.#items(this.varint() - 1, read);
  }

  /** An id as Kafka prints it: 16 bytes in base64url. */
  uuid(): string {
    return this.take(16).toString("base64url");
  }

  /** Passes the tagged fields: none of them is needed here. */
  skipTags(): void {
    for (let left = this.varint(); left > 0; left -= 1) {
      this.varint();
      this.take(this.varint());
    }
  }

  #items<Item>(count: number, read: (reader: this) => Item): Item[] {
    const items: Item[] = [];
    for (let left = count; left > 0; left -= 1) items.push(read(this));
    return items;
  }
}
