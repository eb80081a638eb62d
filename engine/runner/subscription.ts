import type { Offset } from "../position.ts";
import type { Fetch } from "../ports/record-log.ts";

export interface SubscriptionOptions {
  /** Fetches that may wait here to be taken. */
  readonly fetchesMax: number;
  /** Called when there is something to take, or an error. */
  readonly onReady: () => void;
  readonly onTaken: () => void;
}

/** One consumer's queue of what a topic's reader has fetched. Bounded: a full one isn't given more. */
export class Subscription {
  /** Why no more will come. */
  error: unknown;
  closed = false;
  readonly #options: SubscriptionOptions;
  readonly #queue: Fetch[] = [];

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#queue.length >= this.#options.fetchesMax;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  take(): Fetch | undefined {
    const fetch = this.#queue.shift();
    if (fetch) this.#options.onTaken();
    return fetch;
  }

  put(fetch: Fetch): void {
    this.#queue.push(fetch);
    this.#options.onReady();
  }

  fail(error: unknown): void {
    this.error = error;
    this.#options.onReady();
  }

  close(): void {
    this.closed = true;
    this.#queue.length = 0;
    this.#options.onTaken();
  }
}

export type Offsets = ReadonlyMap<number, Offset>;

export function sameOffsets(one: Offsets, other: Offsets): boolean {
  if (one.size !== other.size) return false;
  for (const [partition, at] of one) if (other.get(partition) !== at) return false;
  return true;
}
