import type { BackoffOptions } from "../backoff.ts";

export interface EffectLimits {
  /** Effects of one kind that one look takes. */
  readonly batchMax: number;
  /** Tries of one kind under way at once; kinds don't hold up each other. */
  readonly concurrencyMax: number;
  /**
   * Effects of one kind that are leased to this process as they are requested, and wait for a place
   * among those under way. With more, they wait in the ledger.
   */
  readonly aheadMax: number;
  /** A try that takes longer is aborted, and made again later. */
  readonly tryTimeoutMs: number;
  /**
   * A try that has not ended by then is taken for dead. Long enough for a try, for the decision on
   * its answer, and for this process' clock to run differently from the store's.
   */
  readonly leaseMs: number;
  /**
   * Waits between tries. After `attemptsMax` tries an effect is given up, and after as many more
   * for each time that an operator has it tried again.
   */
  readonly backoff: BackoffOptions;
  /** Waits while the store can't be reached: to take effects, or to record what an answer leads to. */
  readonly storeBackoff: BackoffOptions;
  /** How often effects are looked for that nobody in this process has asked for. */
  readonly pollMs: number;
  /** Time that tries under way have to end when the process stops. */
  readonly drainMs: number;
  /** How often the ledger is counted, for metrics and health. */
  readonly watchIntervalMs: number;
  /** An effect that has waited longer for its first try, or its next, is told in health. */
  readonly oldMs: number;
}

export const defaultEffectLimits: EffectLimits = {
  batchMax: 500,
  concurrencyMax: 1_000,
  aheadMax: 10_000,
  tryTimeoutMs: 10_000,
  leaseMs: 40_000,
  backoff: { initialMs: 200, maxMs: 60_000, attemptsMax: 100 },
  storeBackoff: { initialMs: 50, maxMs: 2_000, attemptsMax: 15 },
  pollMs: 250,
  drainMs: 5_000,
  watchIntervalMs: 5_000,
  oldMs: 300_000,
};

export interface DeadlineLimits {
  /** Deadlines that are decided together. */
  readonly batchMax: number;
  /** How often deadlines are looked for that were set in other processes. */
  readonly pollMs: number;
  /** Age at which the store's clock is asked for anew. */
  readonly clockAgeMaxMs: number;
  /** Waits of a deadline whose decision fails. */
  readonly backoff: Pick<BackoffOptions, "initialMs" | "maxMs">;
  /** Waits while the store can't be reached. */
  readonly storeBackoff: Pick<BackoffOptions, "initialMs" | "maxMs">;
  /** Deadlines whose decisions fail and that others pass meanwhile; with more, all wait. */
  readonly troubledMax: number;
}

export const defaultDeadlineLimits: DeadlineLimits = {
  batchMax: 1_000,
  pollMs: 500,
  clockAgeMaxMs: 1_000,
  backoff: { initialMs: 100, maxMs: 30_000 },
  storeBackoff: { initialMs: 50, maxMs: 2_000 },
  troubledMax: 1_000,
};

/** @throws RangeError naming every fault. */
export function effectLimits(given: Partial<EffectLimits> = {}): EffectLimits {
  const limits = { ...defaultEffectLimits, ...given };
  const faults = numberFaults("", limits);
  if (!(limits.leaseMs > limits.tryTimeoutMs)) faults.push("leaseMs must exceed tryTimeoutMs");
  if (faults.length > 0) throw new RangeError(`Effect limits: ${faults.join("; ")}.`);
  return limits;
}

/** @throws RangeError naming every fault. */
export function deadlineLimits(given: Partial<DeadlineLimits> = {}): DeadlineLimits {
  const limits = { ...defaultDeadlineLimits, ...given };
  const faults = numberFaults("", limits);
  if (faults.length > 0) throw new RangeError(`Deadline limits: ${faults.join("; ")}.`);
  return limits;
}

function numberFaults(within: string, limits: object): string[] {
  return Object.entries(limits).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "object" && value !== null) return numberFaults(`${name}.`, value);
    return Number(value) >= 1 ? [] : [`${within}${name} must be 1 or more`];
  });
}
