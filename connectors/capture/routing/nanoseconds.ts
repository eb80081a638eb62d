import { AvroWriter } from "../avro-writer.ts";

/**
 * Times in nanoseconds as Avro longs. They are above 2^53, and their arithmetic is slow: many rows
 * share one time, so the last one is kept.
 */
export class Nanoseconds {
  readonly #writer = new AvroWriter(4_096);
  #us = -1;
  #encoded: Buffer = Buffer.alloc(0);

  /** @param us Microseconds since 1970 (UTC). */
  encoded(us: number): Buffer {
    if (us === this.#us) return this.#encoded;
    this.#writer.bigLong(BigInt(us) * 1000n);
    this.#us = us;
    this.#encoded = this.#writer.finish();
    return this.#encoded;
  }
}
