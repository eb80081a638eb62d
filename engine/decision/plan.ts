import type { AppendRequest, AppendVerdict } from "../ports/event-store.ts";
import type { Tracer } from "../ports/tracing.ts";
import type { CallToDecide, Group } from "./group.ts";
import type { Leases } from "../effects/wake-ups.ts";
import { requestOf } from "./request.ts";
import { Sends } from "./sends.ts";
import type { SettledCall } from "./settle.ts";

/** Decisions that are made, and not yet recorded. */
export class DecisionPlan {
  readonly calls: readonly CallToDecide[];
  readonly groups: readonly Group[];
  /** To append whole, in this order; the verdicts go to `Decider.settle`. */
  readonly requests: readonly AppendRequest[];
  /** A plan that is given up, because its flush failed, leaves them open: nobody hears of them. */
  readonly #sends: readonly Sends[];

  constructor(of: {
    readonly calls: readonly CallToDecide[];
    readonly groups: readonly Group[];
    readonly tracer: Tracer;
    readonly leases: Leases;
  }) {
    this.calls = of.calls;
    this.groups = of.groups;
    this.#sends = of.groups.map((group) => new Sends(of.tracer, group));
    this.requests = of.groups.map((group) => requestOf(group, of.leases));
  }

  /** The spans of its appends end: all of them were made, or none. */
  ended(verdicts: readonly AppendVerdict[]): void {
    const refusal = verdicts.find(({ outcome }) => outcome !== "appended");
    for (const [i, sends] of this.#sends.entries()) {
      sends.end(refusal ?? (verdicts[i] as AppendVerdict));
    }
  }
}

export type PlanOutcome =
  /** By index of the calls that were planned. */
  | { readonly outcome: "settled"; readonly calls: readonly SettledCall[] }
  | { readonly outcome: "again" };
