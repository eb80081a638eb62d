/** Time and waiting. Adapters: the system's (bin), a manual one (tests). */
export interface Clock {
  /** Milliseconds since 1970 (UTC). */
  nowMs(): number;
  /** Milliseconds of a clock that never goes back, for durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; an abort resolves at once (the caller looks at the signal). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness, so that tests can seed it. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A new id: a UUID of version 7, rising with time. */
  id(): string;
}
