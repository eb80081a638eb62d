import type { AnyRow } from "../columns.ts";
import {
  type Fact,
  followed,
  type FollowedCall,
  followingCalls,
  type FollowUps,
  type Wanted,
  type WantedDeadline,
  type WantedEffect,
} from "../decision/definition.ts";
import { countedIds, given } from "../decision/given.ts";
import type { RowChange } from "../ports/codec.ts";
import type {
  AnyProcessor,
  Emit,
  ErasedChangeProcessor,
  ErasedEventProcessor,
  ErasedReact,
} from "../processor.ts";
import type { RecordMeta } from "../projection.ts";
import type { EventTopic } from "../topic.ts";
import type { GivenEvent } from "./given.ts";
import { tableSteps } from "./table-history.ts";

/** What a processor reads: events, or a table's changes. */
export type History = readonly GivenEvent[] | readonly RowChange[];

export interface Reacted {
  /** What was decided, in order. */
  readonly facts: readonly Fact[];
  readonly states: ReadonlyMap<string, AnyRow>;
  /** Effects that were wanted, by key. */
  readonly effects: ReadonlyMap<string, WantedEffect>;
  /** Deadlines that were set and not cancelled, by name and key. */
  readonly deadlines: ReadonlyMap<string, SetDeadline>;
}

type SetDeadline = Extract<WantedDeadline, { readonly change: "set" }>;

type React = (
  state: AnyRow | undefined,
  event: unknown,
  emit: Emit,
  meta: RecordMeta,
) => AnyRow | undefined | void;

/**
 * The independent run that a processor's machinery is compared with: one record after the other,
 * every call decided at once on a list of facts. The clock stands at `nowMs`.
 */
export function reactAll(processor: AnyProcessor, history: History, nowMs: number): Reacted {
  const run = new Reactions(processor.state !== undefined, nowMs);
  if (processor.kind === "events") reactToEvents(processor, history as readonly GivenEvent[], run);
  else reactToChanges(processor, history as readonly RowChange[], run);
  return run;
}

function reactToEvents(
  { on, key: keyOf, from }: ErasedEventProcessor,
  events: readonly GivenEvent[],
  run: Reactions,
): void {
  for (const [index, { type, event, recordedAtMs = index * 1_000 }] of events.entries()) {
    const react = on[type.name];
    if (react === undefined || react === "ignore") continue;
    const of = keyOf ?? keyFieldOf(from, type.name);
    const key: unknown =
      typeof of === "string" ? (event as Record<string, unknown>)[of] : of(event as never);
    if (typeof key !== "string") continue;
    const topic = from[0]?.name ?? "";
    const meta = { topic, partition: 0, offset: index, recordedAtMs, sequence: index + 1 };
    run.react(react, key, { event, meta });
  }
}

/** The field that a record's own key is. */
const keyFieldOf = (topics: readonly EventTopic[], name: string): string =>
  topics.find(({ events }) => events.some((type) => type.name === name))?.key ?? "";

function reactToChanges(
  { on, key, from }: ErasedChangeProcessor,
  changes: readonly RowChange[],
  run: Reactions,
): void {
  for (const { kind, key: of, row: event, meta } of tableSteps(from, changes, key)) {
    run.react(kind === "put" ? on.upsert : on.delete, of, { event, meta });
    if (kind === "remove") run.states.delete(of);
  }
}

class Reactions implements Reacted {
  readonly facts: Fact[] = [];
  readonly states = new Map<string, AnyRow>();
  readonly effects = new Map<string, WantedEffect>();
  readonly deadlines = new Map<string, SetDeadline>();
  readonly #keepsState: boolean;
  readonly #nowMs: number;
  readonly #newId = countedIds();

  constructor(keepsState: boolean, nowMs: number) {
    this.#keepsState = keepsState;
    this.#nowMs = nowMs;
  }

  react(react: ErasedReact, key: string, on: { event: unknown; meta: RecordMeta }): void {
    const calls: FollowedCall[] = [];
    const emit: Emit = (call, followUps = {}) => void calls.push(followed(call, followUps));
    const after = (react as React)(this.states.get(key), on.event, emit, on.meta);
    if (this.#keepsState && after) this.states.set(key, after);
    else this.states.delete(key);
    for (const call of calls) this.#decide(call);
  }

  #decide({ call, accepted, refused }: FollowedCall): void {
    const { decision } = given(this.facts, { nowMs: this.#nowMs, newId: this.#newId }).when(call);
    if (decision.kind === "accepted") {
      this.facts.push(...decision.facts);
      this.#want(decision.wanted ?? {});
    }
    const following =
      decision.kind === "accepted"
        ? (accepted as FollowUps["accepted"])?.(decision.answer)
        : refused?.(decision.refusal);
    for (const next of followingCalls(following)) this.#decide(next);
  }

  #want({ effects = [], deadlines = [] }: Wanted): void {
    for (const effect of effects) {
      if (!this.effects.has(effect.key)) this.effects.set(effect.key, effect);
    }
    for (const one of deadlines) {
      if (one.change === "set") this.deadlines.set(`${one.name}/${one.key}`, one);
      else this.deadlines.delete(`${one.name}/${one.key}`);
    }
  }
}
