import type { Alongside, OnceMark } from "../ports/alongside.ts";
import type { DeadlineChange } from "../ports/deadlines.ts";
import type { Cause, EffectSettlement, NewEffect } from "../ports/effect-ledger.ts";
import type { Leases } from "../effects/wake-ups.ts";
import { carriedTraceparent } from "../tracing/trace-context.ts";
import type { Wanted } from "./definition.ts";
import { type CallOnce, type DecidedCall, factsOf, type Group, type PlacedFact } from "./group.ts";
import type { CommandDecision } from "./outcome.ts";

/** What a group's calls want to be kept with their facts; undefined: nothing. */
export function alongsideOf(group: Group, leases: Leases): Alongside | undefined {
  if (!group.calls.some(wantsMore)) return undefined;
  const parts = new Parts(leases);
  for (const call of group.calls) {
    const { once, settles } = call.asked;
    if (once !== undefined) parts.once.push(markOf(once, call));
    if (settles !== undefined) parts.settled.push(settles);
    parts.addWanted(call, call.traceparent);
  }
  return parts;
}

function markOf({ scope, key, fingerprint, answer }: CallOnce, call: DecidedCall): OnceMark {
  const placed = factsOf(call);
  const events = placed.map(({ newEvent }) => newEvent.id);
  return { scope, key, fingerprint, answer: answer(decisionOf(call, placed)), events };
}

function decisionOf({ decision }: DecidedCall, placed: readonly PlacedFact[]): CommandDecision {
  if (decision.kind === "refused") return { outcome: "refused", refusal: decision.refusal };
  const facts = placed.map(({ fact }) => fact);
  return { outcome: "accepted", answer: decision.answer, facts };
}

/** Most calls want nothing: they are told at a glance. */
function wantsMore(call: DecidedCall): boolean {
  const { once, settles } = call.asked;
  if (once !== undefined || settles !== undefined) return true;
  return wantedBy(call) !== undefined || call.next.some(wantsMore);
}

class Parts implements Alongside {
  readonly once: OnceMark[] = [];
  readonly effects: NewEffect[] = [];
  readonly settled: EffectSettlement[] = [];
  readonly deadlines: DeadlineChange[] = [];
  readonly #leases: Leases;

  constructor(leases: Leases) {
    this.#leases = leases;
  }

  /** With the context of the span that sends the call's events, where one is recorded. */
  addWanted(call: DecidedCall, traceparent: string | undefined): void {
    const wanted = wantedBy(call);
    if (wanted !== undefined) this.#add(wanted, causeOf(call, traceparent));
    for (const next of call.next) this.addWanted(next, traceparent);
  }

  #add({ effects = [], deadlines = [] }: Wanted, cause: Cause): void {
    for (const effect of effects) {
      const leaseMs = this.#leases(effect.kind);
      this.effects.push({ ...effect, ...cause, ...(leaseMs === undefined ? {} : { leaseMs }) });
    }
    for (const one of deadlines) {
      this.deadlines.push(one.change === "set" ? { ...one, ...cause } : one);
    }
  }
}

const wantedBy = ({ decision }: DecidedCall): Wanted | undefined =>
  decision.kind === "accepted" ? decision.wanted : undefined;

/** The decision's own first event, where it has one, is what caused it; else what caused the call. */
function causeOf({ asked, facts }: DecidedCall, traceparent: string | undefined): Cause {
  const { correlationId } = asked.origin;
  const first = facts[0]?.newEvent;
  const causationId = first?.id ?? asked.origin.causationId;
  return {
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    traceparent: traceparent ?? first?.traceparent ?? carriedTraceparent(asked.origin),
  };
}
