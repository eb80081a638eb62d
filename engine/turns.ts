import type { Clock } from "./ports/clock.ts";

const everyMs = 500;

/** Gives whoever follows a turn after each change, and at least every half second. */
export class Turns {
  readonly #clock: Pick<Clock, "sleep">;
  readonly #sleepers = new Set<AbortController>();
  #changes = 0;

  constructor(clock: Pick<Clock, "sleep">) {
    this.#clock = clock;
  }

  /** Something has changed. */
  give(): void {
    this.#changes += 1;
    for (const sleeper of this.#sleepers) sleeper.abort();
  }

  /** The first turn comes at once. */
  async *follow(signal: AbortSignal): AsyncIterable<void> {
    let seen = -1;
    while (!signal.aborted) {
      if (seen === this.#changes) await this.#next(signal);
      if (signal.aborted) return;
      seen = this.#changes;
      yield;
    }
  }

  async #next(signal: AbortSignal): Promise<void> {
    const sleeper = new AbortController();
    this.#sleepers.add(sleeper);
    await this.#clock.sleep(everyMs, AbortSignal.any([signal, sleeper.signal]));
    this.#sleepers.delete(sleeper);
  }
}
