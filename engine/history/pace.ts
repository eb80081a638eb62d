import type { Clock } from "../ports/clock.ts";

/** Keeps work to a rate: whoever has done more than its share waits. */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #startedMs: number;
  #spent = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#startedMs = clock.monotonicMs();
  }

  /** Notes so much work as done; resolves when more may begin. */
  async spend(amount: number, signal: AbortSignal): Promise<void> {
    this.#spent += amount;
    const dueMs = this.#startedMs + (this.#spent / this.#perSecond) * 1_000;
    const leftMs = dueMs - this.#clock.monotonicMs();
    if (leftMs > 1) await this.#clock.sleep(leftMs, signal);
  }
}
