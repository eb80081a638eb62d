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
}
