import type { Clock, Random } from "../../engine/ports/clock.ts";

export interface BookingsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Nobody is told to stay away for longer, in milliseconds. */
  readonly awayMaxMs: number;
}

const awayMinMs = 1_000;

/**
 * Tells refused clients when to come again: each gets the time at which the server will have got
 * through those who were refused before, at the rate at which it answers now. So they neither come
 * back together nor in vain. Nothing is kept for them: whoever comes is looked at like all others.
 */
export class Bookings {
  readonly #options: BookingsOptions;
  #lastMs = Number.NEGATIVE_INFINITY;
  #refusedMs = Number.NEGATIVE_INFINITY;

  constructor(options: BookingsOptions) {
    this.#options = options;
  }

  /**
   * For how many whole seconds a client should stay away: rounded by lot, so that the mean is what
   * was booked.
   */
  seconds(ratePerMs: number): number {
    const { random } = this.#options;
    return Math.max(1, Math.floor(this.#awayMs(ratePerMs) / 1_000 + random.next()));
  }

  #awayMs(ratePerMs: number): number {
    const { clock, random, awayMaxMs } = this.#options;
    const nowMs = clock.monotonicMs();
    // For a while there was room for everybody: those who were put off before have been let in.
    if (nowMs - this.#refusedMs > awayMinMs) this.#lastMs = Number.NEGATIVE_INFINITY;
    this.#refusedMs = nowMs;
    const eachMs = ratePerMs > 0 ? 1 / ratePerMs : 0;
    const bookedMs = Math.max(nowMs + awayMinMs, this.#lastMs) + eachMs;
    this.#lastMs = Math.min(bookedMs, nowMs + awayMaxMs);
    if (bookedMs <= nowMs + awayMaxMs) return bookedMs - nowMs;
    return Math.max(awayMinMs, awayMaxMs * (0.5 + random.next() / 2) - 1_000);
  }
}
