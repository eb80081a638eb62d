/**
 * Messages of the replication stream, one after the other in one buffer: Int32 byte count, then the
 * bytes. A chunk belongs to its reader: nothing writes into it any more, so slices of it stay valid.
 */
export interface MessageChunk {
  readonly bytes: Buffer;
  /** Where the last message ends. */
  readonly end: number;
}

/** Gathers messages; the parser's buffers are reused, so each message is copied once. */
export class ChunkWriter {
  readonly #chunkBytes: number;
  #bytes: Buffer;
  #end = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
    this.#bytes = Buffer.allocUnsafeSlow(chunkBytes);
  }

  get size(): number {
    return this.#end;
  }

  add(message: Uint8Array): void {
    const needed = this.#end + 4 + message.length;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes.writeUInt32BE(message.length, this.#end);
    this.#bytes.set(message, this.#end + 4);
    this.#end = needed;
  }

  /** Hands over what was gathered and begins another chunk behind it. */
  take(): MessageChunk {
    const chunk = { bytes: this.#bytes.subarray(0, this.#end), end: this.#end };
    const left = this.#bytes.length - this.#end;
    // A small chunk leaves most of its buffer to the next one.
    this.#bytes =
      left > this.#chunkBytes / 2
        ? this.#bytes.subarray(this.#end)
        : Buffer.allocUnsafeSlow(this.#chunkBytes);
    this.#end = 0;
    return chunk;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
