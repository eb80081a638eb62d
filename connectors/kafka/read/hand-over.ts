import type { Fetch } from "../../../engine/ports/record-log.ts";

interface Waiting {
  readonly fetch: Fetch;
  readonly taken: () => void;
}

/**
 * Fetches on their way to one consumer, in the order in which they were given. Who gives waits
 * until its fetch is taken, so there is never more than one of each giver.
 */
export class HandOver {
  readonly #waiting: Waiting[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  #failure: unknown;

  give(fetch: Fetch): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((taken) => {
      this.#waiting.push({ fetch, taken });
      this.#wake();
    });
  }

  /** The next fetch; undefined after the end. What was given before a failure comes first. */
  async take(): Promise<Fetch | undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) {
        next.taken();
        return next.fetch;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  /** Nothing more comes; what waits can still be taken. */
  end(failure?: unknown): void {
    if (!this.#ended) this.#failure = failure;
    this.#ended = true;
    this.#wake();
  }

  /** Nothing more is taken. */
  abandon(): void {
    for (const { taken } of this.#waiting.splice(0)) taken();
    this.end();
  }
}
