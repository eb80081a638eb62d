import { randomBytes } from "node:crypto";

import type { Clock, Random } from "../engine/ports/clock.ts";

/** The wall clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // Most waits are ended before their time: that of node:timers/promises makes two errors for each.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, Math.max(0, ms));
      signal?.addEventListener("abort", end);
    }),
};

/** Ids drawn at once; each takes 10 bytes of the pool. */
const idsPerDraw = 256;
const bytesPerId = 10;

/**
 * Randomness of the operating system, drawn in pools: one call for each id would cost a microsecond.
 * Ids are UUIDs of version 7 (RFC 9562, section 5.7).
 */
export class SystemRandom implements Random {
  #pool = Buffer.alloc(0);
  #at = 0;

  next(): number {
    return this.#draw(6).readUIntBE(0, 6) / 2 ** 48;
  }

  id(): string {
    const bytes = Buffer.allocUnsafe(16);
    bytes.writeUIntBE(Date.now(), 0, 6);
    this.#draw(bytesPerId).copy(bytes, 6);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    const hex = bytes.toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #draw(count: number): Buffer {
    if (this.#at + count > this.#pool.length) {
      this.#pool = randomBytes(idsPerDraw * bytesPerId);
      this.#at = 0;
    }
    this.#at += count;
    return this.#pool.subarray(this.#at - count, this.#at);
  }
}
