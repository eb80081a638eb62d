import type { GlobalPosition, Sequence } from "../position.ts";

export interface AppendedEvent {
  readonly position: GlobalPosition;
  readonly sequence: Sequence;
  readonly recordedAtMs: number;
}

/** The verdict on a request that was appended. */
export interface Appended {
  readonly outcome: "appended";
  /** In the order of the request's events. */
  readonly events: readonly AppendedEvent[];
  /** True when all ids were there already: nothing was written now. */
  readonly duplicate: boolean;
  /** The store's clock; also of a call without events. */
  readonly recordedAtMs: number;
  /**
   * Keys of the request's effects with a lease that were not known before: their first try has begun,
   * and the caller is to make it. Without any it may be left out.
   */
  readonly begun?: readonly string[];
}
