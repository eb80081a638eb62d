import type { Clock } from "../ports/clock.ts";
import type { EventStore } from "../ports/event-store.ts";

export interface StoreTimeOptions {
  readonly eventStore: Pick<EventStore, "nowMs">;
  readonly clock: Clock;
  /** Age at which the store is asked anew. */
  readonly ageMaxMs: number;
}

/**
 * The store's clock, asked rarely: from its last answer on the monotonic clock counts. It is never
 * ahead of the store's, unless that was set back since.
 */
export class StoreTime {
  readonly #options: StoreTimeOptions;
  #toldMs = 0;
  #seenMs = -Infinity;

  constructor(options: StoreTimeOptions) {
    this.#options = options;
  }

  /** In whole milliseconds. @throws TransientError when the store can't be reached. */
  async nowMs(): Promise<number> {
    const { eventStore, clock, ageMaxMs } = this.#options;
    if (clock.monotonicMs() - this.#seenMs > ageMaxMs) {
      this.#toldMs = await eventStore.nowMs();
      this.#seenMs = clock.monotonicMs();
    }
    return Math.floor(this.#toldMs + clock.monotonicMs() - this.#seenMs);
  }

  /** What was known has turned out to be wrong. */
  forget(): void {
    this.#seenMs = -Infinity;
  }
}
