import { isDeepStrictEqual } from "node:util";

import type {
  Command,
  CommandCall,
  Decision,
  DecisionContext,
  Fact,
  ModelOf,
  Wanted,
} from "./definition.ts";
import { KnownModel } from "./known-model.ts";
import { tagsOf } from "./tags.ts";

/**
 * What a decision should be: its facts in order and, where given, its answer and what it wants
 * beside them; or its refusal.
 */
export type Expected =
  | { readonly facts: readonly Fact[]; readonly answer?: unknown; readonly wanted?: Wanted }
  | { readonly refused: string };

export interface GivenOptions {
  /** Milliseconds: the recorded time of what was given, and the time of the decision (default 0). */
  readonly nowMs?: number;
  /** Ids that the command asks for. Default: counted from 1 in each decision. */
  readonly newId?: () => string;
}

/**
 * A decision as a value, without a store: `given(facts).when(call).then(...)`. Ids that the command
 * asks for are `id-1`, `id-2`, ...
 */
export function given(facts: readonly Fact[], options: GivenOptions = {}) {
  return {
    when: <Answer>(call: CommandCall<Answer>) => {
      const decision = decideOn(facts, call, options);
      return {
        decision,
        /** @throws Error that shows what was decided instead. */
        // Reads as given, when, then; nothing awaits it, since all of it is synchronous.
        // oxlint-disable-next-line unicorn/no-thenable
        then: (expected: Expected): void => assertDecided(decision, expected),
      };
    },
  };
}

function decideOn<Answer>(
  facts: readonly Fact[],
  call: CommandCall<Answer>,
  options: GivenOptions,
): Decision<Answer> {
  const { nowMs = 0 } = options;
  const command = call.command as unknown as Command<unknown, Answer>;
  const wanted = new Map<string, ModelOf>(Object.entries(command.reads(call.input)));
  for (;;) {
    const states = Object.fromEntries(
      [...wanted].map(([name, model]) => [name, stateOf(model, facts, nowMs)]),
    );
    const before = wanted.size;
    const more = command.readsMore?.(call.input, states) ?? {};
    for (const [name, model] of Object.entries(more)) if (model) wanted.set(name, model);
    if (wanted.size === before)
      return command.decide(call.input, states, contextAt(nowMs, options.newId));
  }
}

function stateOf(of: ModelOf, facts: readonly Fact[], nowMs: number): unknown {
  const model = new KnownModel(of);
  let state = model.state;
  for (const [index, { topic, type, event }] of facts.entries()) {
    const meta = { id: `given-${index + 1}`, recordedAtMs: nowMs };
    const placed = { name: type.name, tags: tagsOf(topic.tags, event), event, meta };
    if (topic.name === of.model.topic.name && model.reads(placed)) {
      state = model.evolved(state, placed);
    }
  }
  return state;
}

function contextAt(nowMs: number, newId = countedIds()): DecisionContext {
  return {
    reached: (timeMs) => timeMs <= nowMs,
    inMs: (durationMs) => nowMs + durationMs,
    newId,
  };
}

/** `id-1`, `id-2`, ... */
export function countedIds(): () => string {
  let ids = 0;
  return () => `id-${(ids += 1)}`;
}

function assertDecided(decision: Decision, expected: Expected): void {
  const actual = shown(decision, expected);
  const wanted =
    "refused" in expected
      ? { refused: expected.refused }
      : { ...expected, facts: expected.facts.map(shownFact) };
  if (isDeepStrictEqual(actual, wanted)) return;
  throw new Error(`Decided ${text(actual)}, and expected was ${text(wanted)}.`);
}

function shown(decision: Decision, expected: Expected): unknown {
  if (decision.kind === "refused") return { refused: decision.refusal.code };
  return {
    facts: decision.facts.map(shownFact),
    ...("answer" in expected ? { answer: decision.answer } : {}),
    ...("wanted" in expected ? { wanted: decision.wanted } : {}),
  };
}

const shownFact = ({ topic, type, event }: Fact): unknown => ({
  topic: topic.name,
  type: type.fullName,
  event,
});

const text = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner));
