import { type BackoffOptions, backoffMs } from "../backoff.ts";
import { classify } from "../error-policy.ts";
import type { Clock, Random } from "../ports/clock.ts";

export interface RetryOptions {
  readonly backoff: BackoffOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends waiting between tries. */
  readonly signal: AbortSignal;
  readonly onRetry?: () => void;
}

/** Tries again what may work later, a bounded number of times; then throws what it threw last. */
export async function retried<Result>(
  options: RetryOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const { backoff, random, clock, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (classify(error) !== "retry" || attempt >= backoff.attemptsMax) throw error;
      if (signal.aborted) throw error;
      options.onRetry?.();
      await clock.sleep(backoffMs(attempt, backoff, random), signal);
    }
  }
}
