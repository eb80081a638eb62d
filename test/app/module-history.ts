import type {
  CommandCall,
  Decision,
  DecisionContext,
  DecisionModel,
  Fact,
  ModelOf,
} from "../../engine/decision/definition.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";

/** A fact with the time at which it was recorded. */
export interface RecordedFact extends Fact {
  readonly recordedAtMs: number;
}

/**
 * A store of facts in memory, and nothing but what a decision means: fold what carries the tag,
 * decide, record. Commands are tested against it, not against the machinery that makes them fast.
 */
export class ModuleHistory {
  readonly facts: RecordedFact[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  #ids = 0;

  /** Decides, and records what was accepted. */
  do<Answer>(call: CommandCall<Answer>): Decision<Answer> {
    const decision = this.#decide(call);
    if (decision.kind === "accepted") this.record(decision.facts);
    return decision;
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
    const key = (event as Readonly<Record<string, string | undefined>>)[String(projection.key)];
    if (typeof fold !== "function" || key === undefined) continue;
    const meta = { topic: topic.name, partition: 0, offset: index, recordedAtMs, sequence: index };
    const row: unknown = fold(rows.get(key), event, meta);
    if (row === undefined) rows.delete(key);
    else rows.set(key, row);
  }
  return rows;
}

/** Short names of facts, in order. */
export const namesOf = (facts: readonly Fact[]): string[] => facts.map(({ type }) => type.name);
