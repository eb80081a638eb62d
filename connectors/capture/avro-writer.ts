const two32 = 4_294_967_296;

/**
 * Writes Avro's binary encoding into a buffer of its own. Finished pieces are slices of that
 * buffer; when it is full, another one follows, so slices stay valid.
 */
export class AvroWriter {
  readonly #blockBytes: number;
  #bytes: Buffer;
  #start = 0;
  #at = 0;

  constructor(blockBytes = 1_048_576) {
    this.#blockBytes = blockBytes;
    this.#bytes = Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Bytes written since the last `finish`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** What was written since the last `finish`. */
  finish(): Buffer {
    const piece = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return piece;
  }

  /** Forgets what was written since the last `finish`. */
  discard(): void {
    this.#at = this.#start;
  }

  /** The Confluent frame: a zero byte and the schema's id. */
  frame(schemaId: number): void {
    this.#reserve(5);
    this.#bytes[this.#at] = 0;
    this.#bytes.writeUInt32BE(schemaId, this.#at + 1);
    this.#at += 5;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  boolean(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** An int or long; exact for whole numbers of at most 52 bits. */
  long(value: number): void {
    this.#reserve(10);
    let rest = value >= 0 ? value * 2 : -value * 2 - 1;
    while (rest >= two32) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    rest >>>= 0;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  bigLong(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value < 0n ? -value * 2n - 1n : value * 2n);
    while (rest > 127n) {
      this.#bytes[this.#at++] = Number(rest & 127n) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  float(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.long(size);
    this.#reserve(size);
    this.#at += this.#bytes.write(value, this.#at, "utf8");
  }

  /** A string of ASCII characters. */
  ascii(value: string): void {
    this.long(value.length);
    this.#reserve(value.length);
    this.#at += this.#bytes.write(value, this.#at, "latin1");
  }
  /** Bytes or a string: its length and its bytes. */
  bytes(source: Uint8Array): void {
    this.long(source.length);
    this.raw(source);
  }

  /** The same, of a part of `source`. */
  slice(source: Buffer, start: number, end: number): void {
    this.long(end - start);
    this.#reserve(end - start);
    source.copy(this.#bytes, this.#at, start, end);
    this.#at += end - start;
  }

  /** Hexadecimal digits as Avro bytes. */
  hex(digits: string): void {
    const size = digits.length / 2;
    this.long(size);
    this.rawHex(digits);
  }

  /** Hexadecimal digits as bytes without their length. */
  rawHex(digits: string): void {
    this.#reserve(digits.length / 2);
    this.#at += this.#bytes.write(digits, this.#at, "hex");
  }

  /** Bytes that are encoded already. */
  raw(encoded: Uint8Array): void {
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#at);
    this.#at += encoded.length;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const begun = this.#bytes.subarray(this.#start, this.#at);
    const next = Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, (begun.length + size) * 2));
    begun.copy(next);
    this.#bytes = next;
    this.#at = begun.length;
    this.#start = 0;
  }
}
