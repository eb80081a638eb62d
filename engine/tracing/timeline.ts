import type { StoredDeadLetter } from "../ports/dead-letters.ts";
import type { Deadline } from "../ports/deadlines.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";
import type { TracedNotice } from "./notices.ts";
import type { ReadEvent } from "./read-events.ts";
import type { TracedRow } from "./rows.ts";

/** What stands in a time line. */
export type TimelineItem =
  /** What the events answer that no event of the transaction is: a request, a change of a row. */
  | { readonly kind: "cause"; readonly text: string; readonly correlationId: string }
  | { readonly kind: "event"; readonly event: ReadEvent; readonly rows: readonly TracedRow[] }
  | { readonly kind: "effect"; readonly step: EffectStep; readonly effect: StoredEffect }
  /** One that is waited for still; what has passed is an event. */
  | { readonly kind: "deadline"; readonly deadline: Deadline }
  | { readonly kind: "notice"; readonly notice: TracedNotice }
  | { readonly kind: "letter"; readonly letter: StoredDeadLetter };

export type EffectStep = "requested" | "started" | "done" | "failed";

export type TimelineEntry = TimelineItem & {
  readonly atMs: number;
  /** Milliseconds since the transaction's first event; a deadline may lie ahead. */
  readonly sinceStartMs: number;
  /** How many causes stand above it: 0 for what caused everything. */
  readonly depth: number;
};

export interface TimelineParts {
  /** In order of position. */
  readonly events: readonly { readonly event: ReadEvent; readonly rows: readonly TracedRow[] }[];
  readonly effects: readonly StoredEffect[];
  readonly deadlines: readonly Deadline[];
  readonly notices: readonly { readonly notice: TracedNotice; readonly of: string }[];
  readonly letters: readonly {
    readonly letter: StoredDeadLetter;
    readonly of: string | undefined;
  }[];
}

interface Draft {
  readonly item: TimelineItem;
  readonly atMs: number;
  readonly depth: number;
}

/** Puts everything in order of time, each below what caused it by its depth. */
export function timelineOf(parts: TimelineParts): TimelineEntry[] {
  const startMs = parts.events[0]?.event.stored.recordedAtMs ?? 0;
  const causes = new Causes(parts);
  const drafts = [...causes.drafts, ...afterEvents(parts, causes)];
  // Equal times keep their order: causes, then events by position, then what came of them.
  return drafts
    .sort((one, other) => one.atMs - other.atMs)
    .map(({ item, atMs, depth }) => ({ ...item, atMs, sinceStartMs: atMs - startMs, depth }));
}

/** Events with what caused them, and how deep each stands. */
class Causes {
  readonly drafts: Draft[] = [];
  readonly #depths = new Map<string, number>();
  readonly #timesMs = new Map<string, number>();

  constructor({ events }: TimelineParts) {
    const ids = new Set(events.map(({ event }) => event.stored.id));
    for (const one of events) {
      const { id, causationId, correlationId, recordedAtMs: atMs } = one.event.stored;
      // A cause that stands later in the order (other lanes, one transaction) is still an event.
      const isKnown = causationId !== undefined && ids.has(causationId);
      if (!isKnown) this.#begin(causationId ?? correlationId, { correlationId, atMs });
      const depth = this.depthOf(causationId ?? correlationId) + 1;
      this.#depths.set(id, depth);
      this.#timesMs.set(id, atMs);
      this.drafts.push({ item: { kind: "event", ...one }, atMs, depth });
    }
  }

  /** Of what caused something; 0 for what isn't known. */
  depthOf(id: string | undefined): number {
    return (id === undefined ? undefined : this.#depths.get(id)) ?? 0;
  }

  /**
   * Nothing stands before what caused it: what is requested beside an event has the time of the
   * transaction's beginning, and the event that of its lane's lock.
   */
  notBefore(id: string | undefined, timeMs: number): number {
    return Math.max(timeMs, (id === undefined ? undefined : this.#timesMs.get(id)) ?? timeMs);
  }

  #begin(text: string, of: { readonly correlationId: string; readonly atMs: number }): void {
    if (this.#depths.has(text)) return;
    this.#depths.set(text, 0);
    const item: TimelineItem = { kind: "cause", text, correlationId: of.correlationId };
    this.drafts.push({ item, atMs: of.atMs, depth: 0 });
  }
}

function* afterEvents(parts: TimelineParts, causes: Causes): Generator<Draft> {
  for (const effect of parts.effects) {
    yield* effectDrafts(effect, causes);
  }
  for (const { notice, of } of parts.notices) {
    const depth = causes.depthOf(of) + 1;
    yield { item: { kind: "notice", notice }, atMs: notice.recordedAtMs, depth };
  }
  for (const { letter, of } of parts.letters) {
    const depth = causes.depthOf(of) + 1;
    yield { item: { kind: "letter", letter }, atMs: letter.firstAt.getTime(), depth };
  }
  for (const deadline of parts.deadlines) {
    const depth = causes.depthOf(deadline.causationId) + 1;
    yield { item: { kind: "deadline", deadline }, atMs: deadline.atMs, depth };
  }
}

function* effectDrafts(effect: StoredEffect, causes: Causes): Generator<Draft> {
  const { causationId } = effect;
  const depth = causes.depthOf(causationId) + 1;
  const at = (step: EffectStep, time: Date | undefined): Draft[] => {
    if (time === undefined) return [];
    const atMs = causes.notBefore(causationId, time.getTime());
    return [{ item: { kind: "effect", step, effect }, atMs, depth }];
  };
  yield* at("requested", effect.requestedAt);
  yield* at("started", effect.startedAt);
  if (effect.state === "done" || effect.state === "failed") yield* at(effect.state, effect.endedAt);
}
