import type { Clock } from "../../engine/ports/clock.ts";

export interface TokenBucketsOptions {
  /** Tokens that come back each second. */
  readonly ratePerSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Clients whose buckets are kept; the one unheard of for longest is forgotten first. */
  readonly clientsMax: number;
  readonly clock: Clock;
}

/** What came of asking for a token. */
export interface Taken {
  readonly allowed: boolean;
  /** Tokens left. */
  readonly left: number;
  /** Until the bucket is full again. */
  readonly fullInMs: number;
  /** Until there is a token again; 0 when there is one. */
  readonly nextInMs: number;
}

/**
 * A token bucket for each client, kept as one number: the time at which the bucket will be full
 * (the generic cell rate algorithm of ITU-T I.371). A full bucket is the same as none.
 */
export class TokenBuckets {
  readonly #options: TokenBucketsOptions;
  readonly #tokenMs: number;
  /** By client, the one heard of last at the end. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: TokenBucketsOptions) {
    this.#options = options;
    this.#tokenMs = 1_000 / options.ratePerSecond;
  }

  /** Takes a token of the client's bucket where there is one. */
  take(client: string): Taken {
    const { burst, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const emptyMs = burst * this.#tokenMs;
    const before = Math.max(nowMs, this.#fullAtMs.get(client) ?? nowMs);
    const after = before + this.#tokenMs;
    // A thousandth of a token forgives what rounding adds to many small steps.
    const allowed = after - nowMs <= emptyMs + this.#tokenMs / 1_000;
    const fullAtMs = allowed ? after : before;
    this.#keep(client, fullAtMs);
    const fullInMs = fullAtMs - nowMs;
    const left = Math.max(0, Math.floor((emptyMs - fullInMs) / this.#tokenMs + 0.001));
    const nextInMs = Math.max(0, fullInMs + this.#tokenMs - emptyMs);
    return { allowed, left, fullInMs, nextInMs };
  }

  /** Clients whose buckets are kept now. */
  get clients(): number {
    return this.#fullAtMs.size;
  }

  #keep(client: string, fullAtMs: number): void {
    this.#fullAtMs.delete(client);
    this.#fullAtMs.set(client, fullAtMs);
    if (this.#fullAtMs.size <= this.#options.clientsMax) return;
    const [oldest] = this.#fullAtMs.keys();
    if (oldest !== undefined) this.#fullAtMs.delete(oldest);
  }
}
