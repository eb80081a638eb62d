import type {
  CommandCall,
  Decision,
  DecisionContext,
  DecisionModel,
  Fact,
  ModelOf,
  WantedDeadline,
} from "../../engine/decision/definition.ts";
import type { DeadlineType } from "../../engine/deadline.ts";
import type { Emit, ErasedEventProcessor } from "../../engine/processor.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";

/** A fact with the time at which it was recorded. */
export interface RecordedFact extends Fact {
  readonly recordedAtMs: number;
}

type Keyed = Pick<ErasedEventProcessor | ErasedEventProjection, "key">;
type SetDeadline = Extract<WantedDeadline, { readonly change: "set" }>;

/**
 * A store of facts in memory, and nothing but what a decision means: fold what carries the tag,
 * decide, record. Commands are tested against it, not against the machinery that makes them fast.
 */
export class ModuleHistory {
  readonly facts: RecordedFact[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  /** By name and key. */
  readonly deadlines = new Map<string, SetDeadline>();
  readonly #processed = new Map<string, number>();
  /** By processor and key. */
  readonly #kept = new Map<string, unknown>();
  #ids = 0;

  /** Decides, and records what was accepted. */
  do<Answer>(call: CommandCall<Answer>): Decision<Answer> {
    const decision = this.#decide(call);
    if (decision.kind === "accepted") {
      this.record(decision.facts);
      for (const wanted of decision.wanted?.deadlines ?? []) this.#change(wanted);
    }
    return decision;
  }

  /** Has a processor react to the facts that it has not seen, at most so many; gives how many. */
  react(processor: ErasedEventProcessor, atMost = Infinity): number {
    const from = this.#processed.get(processor.name) ?? 0;
    const seen = this.facts.slice(from, from + atMost);
    this.#processed.set(processor.name, from + seen.length);
    const emit: Emit = (call) => void this.do(call);
    for (const { type, event } of seen) {
      const react = processor.on[type.name];
      const key = `${processor.name} ${keyOf(processor, event)}`;
      if (typeof react !== "function") continue;
      this.#kept.set(key, react(this.#kept.get(key) as never, event as never, emit, noMeta));
    }
    return seen.length;
  }

  /** Decides what the deadlines lead to whose time has come, the earliest first; gives how many. */
  passDeadlines(types: readonly DeadlineType[], atMost = Infinity): number {
    const due = [...this.deadlines.values()]
      .filter(({ atMs }) => atMs <= this.nowMs)
      .sort((a, b) => a.atMs - b.atMs)
      .slice(0, atMost);
    for (const deadline of due) {
      this.deadlines.delete(`${deadline.name} ${deadline.key}`);
      const type = types.find(({ name }) => name === deadline.name);
      if (type) this.do(type.passed({ ...deadline, correlationId: "" }));
    }
    return due.length;
  }

  #change(wanted: WantedDeadline): void {
    const place = `${wanted.name} ${wanted.key}`;
    if (wanted.change === "set") this.deadlines.set(place, wanted);
    else this.deadlines.delete(place);
  }

  /** @throws Error when it is refused: for what a test takes for granted. */
  must<Answer>(call: CommandCall<Answer>): Answer {
    const decision = this.do(call);
    if (decision.kind === "refused") throw new Error(decision.refusal.code);
    return decision.answer;
  }

  record(facts: readonly Fact[]): void {
    for (const fact of facts) this.facts.push({ ...fact, recordedAtMs: this.nowMs });
  }

  /** Rows of a projection after every fact, by key. */
  rowsOf(projection: ErasedEventProjection): ReadonlyMap<string, unknown> {
    return foldFacts(projection, this.facts);
  }

  #decide<Answer>({ command, input }: CommandCall<Answer>): Decision<Answer> {
    let models: Readonly<Record<string, ModelOf>> = command.reads(input as never);
    let states = this.#states(models);
    for (;;) {
      const more = command.readsMore?.(input as never, states) ?? {};
      if (Object.keys(more).every((name) => name in models)) break;
      models = { ...models, ...more };
      states = this.#states(models);
    }
    return command.decide(input as never, states, this.#context());
  }

  #states(models: Readonly<Record<string, ModelOf>>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(models).map(([name, { model, id }]) => [name, this.#fold(model, id)]),
    );
  }

  #fold(model: DecisionModel, id: string): unknown {
    return this.facts
      .filter((fact) => tagsOf(fact).includes(`${model.tag}:${id}`))
      .reduce<unknown>((state, { type, event, recordedAtMs }) => {
        const evolve = model.on[type.name];
        return evolve === undefined
          ? state
          : evolve(state as never, event as never, { id: "", recordedAtMs });
      }, model.initial);
  }

  #context(): DecisionContext {
    return {
      reached: (timeMs) => this.nowMs >= timeMs,
      inMs: (durationMs) => this.nowMs + durationMs,
      newId: () => `id-${(this.#ids += 1)}`,
    };
  }
}

const noMeta = { topic: "", partition: 0, offset: 0, recordedAtMs: 0, sequence: 0 };

function tagsOf({ topic, event }: Fact): string[] {
  const fields = event as Readonly<Record<string, unknown>>;
  return Object.entries(topic.tags)
    .filter(([field]) => typeof fields[field] === "string")
    .map(([field, kind]) => `${kind}:${String(fields[field])}`);
}

/** Rows of a projection after some facts, by key: the definition's folds and nothing else. */
export function foldFacts(
  projection: ErasedEventProjection,
  facts: readonly RecordedFact[],
): Map<string, unknown> {
  const rows = new Map<string, unknown>();
  const folds: Readonly<Record<string, unknown>> = projection.on;
  for (const [index, { topic, type, event, recordedAtMs }] of facts.entries()) {
    const fold = folds[type.name];
    const key = keyOf(projection, event);
    if (typeof fold !== "function" || key === undefined) continue;
    const meta = { topic: topic.name, partition: 0, offset: index, recordedAtMs, sequence: index };
    const row: unknown = fold(rows.get(key), event, meta);
    if (row === undefined) rows.delete(key);
    else rows.set(key, row);
  }
  return rows;
}

function keyOf({ key }: Keyed, event: unknown): string | undefined {
  if (typeof key === "function") return key(event as never);
  if (key === undefined) return undefined;
  return (event as Readonly<Record<string, string | undefined>>)[key];
}

/** Short names of facts, in order. */
export const namesOf = (facts: readonly Fact[]): string[] => facts.map(({ type }) => type.name);
