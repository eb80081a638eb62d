/** Where a request for something outside comes from; it is carried on to what its answer causes. */
export interface Cause {
  readonly correlationId: string;
  readonly causationId?: string;
  readonly traceparent?: string;
}

/**
 * A call of the outside world that has been decided. Its key is the idempotency key that the other
 * side gets: however often it is made, it is one effect.
 */
export interface NewEffect extends Cause {
  /** Unique for ever: `payment.charge/<payment id>`. */
  readonly key: string;
  /** Says who performs it: `payment.charge`. */
  readonly kind: string;
  /** A JSON value; kept for ever. */
  readonly input: unknown;
  /**
   * A JSON value that is forgotten as soon as the effect is over, done or given up (a card's
   * token): a try that an operator asks for comes without it.
   */
  readonly secret?: unknown;
  /** `<kind>:<id>`, as events are tagged, so that a trace finds it. */
  readonly tags: readonly string[];
  /**
   * The first try begins as the effect is requested, in the process that appends it, with a lease of
   * so long: whether it has is told by `Appended.begun`. Without it the effect waits to be taken.
   */
  readonly leaseMs?: number;
}

/**
 * - `requested`: nobody has begun; or the last try failed, and another is due at `nextAt`.
 * - `started`: a try is under way, or died: whether the other side has done it is unknown.
 * - `done`: answered, and what followed from the answer is recorded.
 * - `failed`: given up; an operator may have it tried again.
 */
export type EffectState = "requested" | "started" | "done" | "failed";

export interface StoredEffect extends Omit<NewEffect, "leaseMs"> {
  readonly state: EffectState;
  /** Tries begun. */
  readonly attempts: number;
  readonly requestedAt: Date;
  /** When the last try began. */
  readonly startedAt: Date | undefined;
  /** Not to be tried before. */
  readonly nextAt: Date;
  /** When it was done or given up. */
  readonly endedAt: Date | undefined;
  /** What the other side said, a JSON value, once it is done. */
  readonly answer: unknown;
  /** Of the last try that failed; undefined once it is done. */
  readonly error: string | undefined;
}

/**
 * What is kept of an answer, in the transaction that records what follows from it. The effect is
 * done then, one that was given up too; of one that is done already the first answer stays.
 */
export interface EffectSettlement {
  readonly key: string;
  /** A JSON value. */
  readonly answer: unknown;
}

export interface TakeEffects {
  readonly kinds: readonly string[];
  readonly limit: number;
  /** A try that has not ended by then is taken for dead, and the effect is due again. */
  readonly leaseMs: number;
}

export interface EffectFilter {
  readonly kind?: string;
  readonly state?: EffectState;
  /** Effects with this tag. */
  readonly tag?: string;
  readonly correlationId?: string;
  readonly limit: number;
}

export interface EffectCount {
  readonly kind: string;
  readonly state: EffectState;
  readonly effects: number;
  /** How long ago the oldest of them was requested, in milliseconds. */
  readonly oldestMs: number;
}

/**
 * The ledger of effects on the outside world. Effects are requested, and settled, alongside appends
 * (`Alongside`); here they are taken by whoever performs them.
 *
 * Before a try the ledger says that it has begun (`take`, or the request of an effect with a lease;
 * durable), so that a crash leaves a trace:
 * the next try is made with the same key, and the other side tells it from a new one by that. Tries
 * of one effect may overlap when a lease ends before its try does; both ask under one key, and the
 * decision on the answer is made against the store, so that only the first counts.
 *
 * Failures: `TransientError` when the store can't be reached.
 */
export interface EffectLedger {
  /**
   * Takes effects that are due, those first that are due for longest (of one time in order of being
   * requested), and counts a try for each. Two callers at once never take the same.
   */
  take(ask: TakeEffects): Promise<readonly StoredEffect[]>;
  /** The try failed, and another is to be made after so long. Ignored when the effect is over. */
  postpone(
    key: string,
    failure: { readonly afterMs: number; readonly error: string },
  ): Promise<void>;
  /** No more tries. Ignored when the effect is over. */
  giveUp(key: string, error: string): Promise<void>;
  /** Effects that were given up are due again. @returns how many. */
  retry(keys: readonly string[]): Promise<number>;
  find(key: string): Promise<StoredEffect | undefined>;
  /** In order of being requested. */
  list(filter: EffectFilter): Promise<readonly StoredEffect[]>;
  /**
   * By kind and state, of those that aren't `done`: these are kept for ever, and counting them would
   * take the longer the older the ledger is.
   */
  counts(): Promise<readonly EffectCount[]>;
}
