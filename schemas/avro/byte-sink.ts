const initialBytes = 1024;

/** Grows as it is written to; one sink serves many encodings, one after another. */
export class ByteSink {
  #bytes = Buffer.allocUnsafe(initialBytes);
  #at = 0;

  reset(): void {
    this.#at = 0;
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  /** Big endian, unsigned. */
  uint32(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  /** A whole number that is safe below 2^53, zigzag. */
  long(value: number): void {
    if (value >= -1_073_741_824 && value < 1_073_741_824) {
      this.#unsigned((value << 1) ^ (value >> 31));
    } else if (value >= -4_503_599_627_370_496 && value < 4_503_599_627_370_496) {
      this.#unsigned(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.bigLong(BigInt(value));
    }
  }

  bigLong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 0x7fn) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  float(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** Byte count and UTF-8. */
  string(value: string): void {
    // Three bytes are the most that a UTF-16 unit takes.
    const most = value.length * 3;
    this.#room(most + 5);
    if (most < 64) {
      const written = this.#bytes.write(value, this.#at + 1, "utf8");
      this.#bytes[this.#at] = written << 1;
      this.#at += written + 1;
      return;
    }
    this.long(Buffer.byteLength(value));
    this.#at += this.#bytes.write(value, this.#at, "utf8");
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #unsigned(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at] = (rest % 128) | 0x80;
      this.#at += 1;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at] = rest;
    this.#at += 1;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
