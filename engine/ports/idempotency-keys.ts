import type { KeptOnce } from "./alongside.ts";

/**
 * Answers kept under keys that clients chose (`OnceMark`): written alongside appends, asked here
 * before a command is decided at all. Failures: `TransientError` when the store can't be reached.
 */
export interface IdempotencyKeys {
  /** The answer. What is still in progress is told by the append, not here. */
  find(of: { readonly scope: string; readonly key: string }): Promise<KeptOnce | undefined>;
  /** Forgets answers that were kept before this time of the store's clock, at most `limit`. @returns how many. */
  purge(before: { readonly beforeMs: number; readonly limit: number }): Promise<number>;
}
