import type { Cause } from "./effect-ledger.ts";

/** A time by which something should have happened. There is one for each name and key. */
export interface Deadline extends Cause {
  /** What it is about: `payment-due`. */
  readonly name: string;
  readonly key: string;
  /** Whole milliseconds, by the store's clock. */
  readonly atMs: number;
  /** `<kind>:<id>`, as events are tagged, so that a trace finds it. */
  readonly tags: readonly string[];
}

/** Setting one that is set replaces it; cancelling one that isn't changes nothing. */
export type DeadlineChange =
  | ({ readonly change: "set" } & Deadline)
  | { readonly change: "cancel"; readonly name: string; readonly key: string };

/**
 * Deadlines that are waited for. They are set and cancelled alongside appends (`Alongside`).
 *
 * That one has passed becomes an event by a decision, made against the store, which refuses where
 * an outcome is recorded already. So a deadline may be found due twice (a crash between the
 * decision and `settle`), and passes once.
 *
 * Failures: `TransientError` when the store can't be reached.
 */
export interface Deadlines {
  /** Those with `atMs` at or before this time, the earliest first, of one time by name and key. */
  due(ask: {
    readonly names: readonly string[];
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<readonly Deadline[]>;
  /** When the next of these is due; undefined: none is set. */
  nextAtMs(names: readonly string[]): Promise<number | undefined>;
  /** They have passed, and are forgotten, unless they were set to another time meanwhile. */
  settle(passed: readonly Pick<Deadline, "name" | "key" | "atMs">[]): Promise<void>;
  /** With this tag, the earliest first. */
  tagged(tag: string, limit: number): Promise<readonly Deadline[]>;
}
