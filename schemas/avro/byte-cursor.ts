import { DecodeError } from "./errors.ts";

/** What one decode may take; a payload beyond any of them is refused. */
export interface DecodeLimits {
  /** A longer payload is refused before it is read. */
  readonly payloadBytesMax: number;
  /**
   * Items of arrays and maps in the whole payload: each becomes a value, however few bytes it
   * takes, and some take none.
   */
  readonly itemsMax: number;
  /** Records within records of the same type. */
  readonly depthMax: number;
}

export const defaultDecodeLimits: DecodeLimits = {
  payloadBytesMax: 1024 * 1024,
  itemsMax: 131_072,
  depthMax: 512,
};

const twoTo27 = 2 ** 27;
/** What `toString("utf8")` ends in: called directly it takes half the time for short texts. */
interface SliceableBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
}

const nothing = Buffer.alloc(0) as SliceableBuffer;

/**
 * Reads Avro's binary encoding out of a part of a buffer. One cursor serves many decodes, one after
 * another; every read is checked against the end of the part.
 */
export class ByteCursor {
  readonly limits: DecodeLimits;
  depth = 0;
  #bytes = nothing;
  #at = 0;
  #end = 0;
  #items = 0;
  /** Of the last variable-length number: its low 28 bits, and what stands above them. */
  #low = 0;
  #high = 0;

  constructor(limits: DecodeLimits) {
    this.limits = limits;
  }

  /** Begins a decode of [start, end). */
  open(bytes: Buffer, start: number, end: number): void {
    if (start < 0 || end > bytes.length || start > end) {
      throw new DecodeError(`There are no bytes [${start}, ${end}) in ${bytes.length} bytes.`);
    }
    if (end - start > this.limits.payloadBytesMax) {
      throw new DecodeError(
        `The payload has ${end - start} bytes; at most ${this.limits.payloadBytesMax} are read.`,
      );
    }
    this.#bytes = bytes as SliceableBuffer;
    this.#at = start;
    this.#end = end;
    this.#items = 0;
    this.depth = 0;
  }

  /** Ends a decode; lets go of the buffer. */
  close(): void {
    const left = this.#end - this.#at;
    this.#bytes = nothing;
    if (left > 0) throw new DecodeError(`${left} bytes are left over: another schema wrote them.`);
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  boolean(): boolean {
    const byte = this.#byte();
    if (byte > 1) throw new DecodeError(`${byte} is no boolean.`);
    return byte === 1;
  }

  int(): number {
    const value = this.long();
    if (value !== (value | 0)) throw new DecodeError(`${value} is no number of 32 bits.`);
    return value;
  }

  /** @throws DecodeError beyond 2^53, where a number would lose digits. */
  long(): number {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at < this.#end) {
      const first = bytes[at] as number;
      if (first < 0x80) {
        this.#at = at + 1;
        return (first >>> 1) ^ -(first & 1);
      }
    }
    this.#variable();
    if (this.#high >= 2 ** 26) {
      throw new DecodeError("A long is beyond 2^53; read it as a bigint, or leave its field out.");
    }
    const half = this.#high * twoTo27 + (this.#low >>> 1);
    return this.#low & 1 ? -half - 1 : half;
  }

  bigLong(): bigint {
    this.#variable();
    const half = BigInt(this.#high) * 134_217_728n + BigInt(this.#low >>> 1);
    return this.#low & 1 ? -half - 1n : half;
  }

  /** A long as the nearest double. */
  longAsDouble(): number {
    this.#variable();
    const half = this.#high * twoTo27 + (this.#low >>> 1);
    return this.#low & 1 ? -half - 1 : half;
  }

  float(): number {
    const at = this.skip(4);
    return this.#bytes.readFloatLE(at);
  }

  double(): number {
    const at = this.skip(8);
    return this.#bytes.readDoubleLE(at);
  }

  string(): string {
    const size = this.length();
    const at = this.skip(size);
    return this.#bytes.utf8Slice(at, at + size);
  }

  /** A copy: the buffer may be a batch that is reused. */
  bytes(): Buffer {
    return this.fixed(this.length());
  }

  fixed(size: number): Buffer {
    const at = this.skip(size);
    return Buffer.from(this.#bytes.subarray(at, at + size));
  }

  /** The byte count in front of bytes and strings. */
  length(): number {
    const size = this.long();
    if (size < 0) throw new DecodeError(`A length can't be ${size}.`);
    return size;
  }

  /** Index of a union's branch or an enum's symbol, of `count`. */
  index(count: number): number {
    const index = this.long();
    if (index < 0 || index >= count) throw new DecodeError(`There is no ${index} of ${count}.`);
    return index;
  }

  /**
   * The count of the next block of an array or map, 0 at its end. Checked before anything is made
   * of it: every item takes at least `itemBytesMin` of the bytes that remain.
   */
  blockCount(itemBytesMin: number): number {
    let count = this.long();
    if (count < 0) {
      count = -count;
      this.#blockSize();
    }
    this.#checkCount(count, itemBytesMin);
    return count;
  }

  /** As `blockCount`, but passes over blocks that say how many bytes they have. */
  blockCountToSkip(itemBytesMin: number): number {
    for (;;) {
      const count = this.long();
      if (count >= 0) {
        this.#checkCount(count, itemBytesMin);
        return count;
      }
      this.skip(this.#blockSize());
    }
  }

  /** Passes over bytes; gives where they began. */
  skip(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) {
      throw new DecodeError(`${size} bytes are announced where ${this.#end - at} remain.`);
    }
    this.#at = at + size;
    return at;
  }

  /** Passes over bytes or text. */
  skipLengthed(): void {
    this.skip(this.length());
  }

  /** Passes over an int or a long. */
  skipNumber(): void {
    const bytes = this.#bytes;
    const end = Math.min(this.#end, this.#at + 10);
    for (let at = this.#at; at < end; at += 1) {
      if ((bytes[at] as number) < 0x80) {
        this.#at = at + 1;
        return;
      }
    }
    throw new DecodeError("A number doesn't end where it should.");
  }

  descend(): void {
    this.depth += 1;
    if (this.depth > this.limits.depthMax) {
      throw new DecodeError(`Records are nested deeper than ${this.limits.depthMax}.`);
    }
  }

  #blockSize(): number {
    const size = this.length();
    if (size > this.remaining) {
      throw new DecodeError(
        `A block of ${size} bytes is announced where ${this.remaining} remain.`,
      );
    }
    return size;
  }

  #checkCount(count: number, itemBytesMin: number): void {
    if (count * itemBytesMin > this.remaining) {
      throw new DecodeError(`${count} items are announced where ${this.remaining} bytes remain.`);
    }
    this.#items += count;
    if (this.#items > this.limits.itemsMax) {
      throw new DecodeError(`The payload has more than ${this.limits.itemsMax} items.`);
    }
  }

  #byte(): number {
    return this.#bytes[this.skip(1)] as number;
  }

  /** Seven bits a byte, least significant first, zigzag: at most ten bytes for 64 bits. */
  #variable(): void {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#low = low;
        this.#high = 0;
        return;
      }
    }
    let high = 0;
    let scale = 1;
    for (let count = 5; count <= 10; count += 1) {
      const byte = this.#byte();
      if (count === 10 && byte > 1) throw new DecodeError("A long has more than 64 bits.");
      high += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) break;
    }
    this.#low = low;
    this.#high = high;
  }
}
