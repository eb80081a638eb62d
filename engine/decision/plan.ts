import type { AppendRequest } from "../ports/event-store.ts";
import type { CallToDecide, Group } from "./group.ts";
import { requestOf } from "./request.ts";
import type { SettledCall } from "./settle.ts";

/** Decisions that are made, and not yet recorded. */
export class DecisionPlan {
  readonly calls: readonly CallToDecide[];
  readonly groups: readonly Group[];
  /** To append whole, in this order; the verdicts go to `Decider.settle`. */
  readonly requests: readonly AppendRequest[];

  constructor(calls: readonly CallToDecide[], groups: readonly Group[]) {
    this.calls = calls;
    this.groups = groups;
    this.requests = groups.map(requestOf);
  }
}

export type PlanOutcome =
  /** By index of the calls that were planned. */
  | { readonly outcome: "settled"; readonly calls: readonly SettledCall[] }
  | { readonly outcome: "again" };
