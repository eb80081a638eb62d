import type { Alongside, OnceMark } from "../ports/alongside.ts";
import type { EffectSettlement } from "../ports/effect-ledger.ts";
import type { NewEvent, TimeBounds } from "../ports/event-store.ts";
import type { GlobalPosition } from "../position.ts";
import type { CommandCall, Decision, Fact, FollowUps } from "./definition.ts";
import type { FoldableEvent, KnownModel } from "./known-model.ts";
import type { CommandDecision, Origin } from "./outcome.ts";

/** A call to decide. */
export interface CallToDecide extends CallMore<never> {
  readonly call: CommandCall;
  readonly origin: Origin;
  /** How often it has been decided in vain: then nothing is expected any more. */
  readonly conflicts?: number | undefined;
}

/** What may come with a call. */
export interface CallMore<Answer = unknown> extends FollowUps<Answer> {
  /** The client's key, under which the answer is kept. */
  readonly once?: CallOnce;
  /** The effect that this call is the answer to. */
  readonly settles?: EffectSettlement;
}

/** A `OnceMark` whose answer, a JSON value, is made of the decision: it is about all its events. */
export interface CallOnce extends Omit<OnceMark, "answer" | "events"> {
  /** Pure: a call may be decided several times before it is appended. */
  readonly answer: (decision: CommandDecision) => unknown;
}

/** A fact with the event that it becomes. */
export interface PlacedFact extends FoldableEvent {
  readonly fact: Fact;
  readonly newEvent: NewEvent;
}

export interface DecidedCall {
  /** Its place among the calls of the round. */
  readonly index: number;
  readonly decision: Decision;
  readonly facts: readonly PlacedFact[];
  readonly asked: CallToDecide;
  /** What followed it. */
  readonly next: readonly DecidedCall[];
  /** Of the span that sends its events, where one is recorded: they carry it. */
  traceparent?: string | undefined;
}

/** Calls whose decisions hang together through the models they read or change: one request. */
export class Group {
  #parent: Group | undefined;
  calls: DecidedCall[] = [];
  /** With the position up to which each was true when it was decided on: others may bring it on. */
  models = new Map<KnownModel, GlobalPosition>();
  /** Ids that its decisions have made, and nobody before: there is no event of them yet. */
  fresh = new Set<string>();
  /** What its request brings, once that is made. */
  alongside: Alongside | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #beforeMs = Number.POSITIVE_INFINITY;

  /** The group that this one has become part of. */
  root(): Group {
    if (!this.#parent) return this;
    this.#parent = this.#parent.root();
    return this.#parent;
  }

  /** Unites two groups; the one with more models takes the other in. */
  join(other: Group): Group {
    const mine = this.root();
    const theirs = other.root();
    if (mine === theirs) return mine;
    const [into, from] = mine.models.size >= theirs.models.size ? [mine, theirs] : [theirs, mine];
    from.#parent = into;
    // The order of calls is put right when it is asked for.
    for (const call of from.calls) into.calls.push(call);
    for (const [model, upTo] of from.models) into.models.set(model, upTo);
    for (const id of from.fresh) into.fresh.add(id);
    into.bound(from.#notBeforeMs, from.#beforeMs);
    from.calls = [];
    return into;
  }

  bound(notBeforeMs: number, beforeMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, notBeforeMs);
    this.#beforeMs = Math.min(this.#beforeMs, beforeMs);
  }

  /** Calls in the order in which they were decided. */
  inOrder(): readonly DecidedCall[] {
    return this.calls.sort((one, other) => one.index - other.index);
  }

  /** Facts in the order in which they were decided. */
  facts(): PlacedFact[] {
    return this.inOrder().flatMap(factsOf);
  }

  get time(): TimeBounds {
    return {
      ...(Number.isFinite(this.#notBeforeMs) ? { notBeforeMs: this.#notBeforeMs } : {}),
      ...(Number.isFinite(this.#beforeMs) ? { beforeMs: this.#beforeMs } : {}),
    };
  }
}

export const factsOf = (decided: DecidedCall): PlacedFact[] => [
  ...decided.facts,
  ...decided.next.flatMap(factsOf),
];
