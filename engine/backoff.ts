import type { Random } from "./ports/clock.ts";

export interface BackoffOptions {
  /** Upper bound of the first wait. */
  readonly initialMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
  /** Tries in all, the first one included. */
  readonly attemptsMax: number;
}

export const defaultBackoff: BackoffOptions = { initialMs: 50, maxMs: 5_000, attemptsMax: 10 };

/**
 * Exponential backoff with full jitter (Marc Brooker, "Exponential Backoff And Jitter", 2015): a
 * wait anywhere between nothing and the bound, so that many who failed together don't come back
 * together.
 *
 * @param attempt Tries that have failed so far, from 1.
 * @returns Milliseconds to wait before the next try.
 */
export function backoffMs(attempt: number, options: BackoffOptions, random: Random): number {
  const bound = Math.min(options.maxMs, options.initialMs * 2 ** (attempt - 1));
  return Math.floor(random.next() * bound);
}
