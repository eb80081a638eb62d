import { TransientError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Attempt } from "./attempt.ts";

export interface TryTimesOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Ends tries that take too long. All have the same time, so that those that began first are over
 * first, and one timer does for all: a timer for each, set and cleared, was a fifth of this process'
 * work on an effect that is quick.
 */
export class TryTimes implements Disposable {
  readonly #options: TryTimesOptions;
  /** When each is over, by the monotonic clock, in the order in which they began. */
  readonly #endsMs = new Map<Attempt, number>();
  readonly #ending = new AbortController();
  #watching = false;

  constructor(options: TryTimesOptions) {
    this.#options = options;
  }

  begin(attempt: Attempt): void {
    const { clock, timeoutMs } = this.#options;
    this.#endsMs.set(attempt, clock.monotonicMs() + timeoutMs);
    if (!this.#watching) void this.#watch();
  }

  end(attempt: Attempt): void {
    this.#endsMs.delete(attempt);
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #watch(): Promise<void> {
    const { clock, timeoutMs } = this.#options;
    const { signal } = this.#ending;
    this.#watching = true;
    for (let first = this.#first(); first && !signal.aborted; first = this.#first()) {
      const [attempt, endsMs] = first;
      const leftMs = endsMs - clock.monotonicMs();
      if (leftMs > 0) {
        await clock.sleep(leftMs, signal);
        continue;
      }
      this.#endsMs.delete(attempt);
      attempt.end(new TransientError("no-answer", `There was no answer within ${timeoutMs} ms.`));
    }
    this.#watching = false;
  }

  #first(): readonly [Attempt, number] | undefined {
    const { done, value } = this.#endsMs.entries().next();
    return done ? undefined : value;
  }
}
