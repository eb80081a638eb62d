import type { AnyEventType, EventNamed, EventOf, EventTopic, NameOf } from "../topic.ts";

/** What a decision may know of an event beside its fields. */
export interface FactMeta {
  readonly id: string;
  readonly recordedAtMs: number;
}

/**
 * What is known for a decision: a pure fold of the events that carry one tag. States are small
 * immutable values; a returned state is never changed afterwards.
 */
export interface DecisionModel<State = unknown> {
  readonly name: string;
  /** Kind of id: with `module`, the model of id X folds the events tagged `module:X`. */
  readonly tag: string;
  readonly topic: EventTopic;
  readonly initial: State;
  /** By short name; only these types are read, and only they can conflict. */
  readonly on: Readonly<Record<string, (state: never, event: never, meta: FactMeta) => State>>;
}

/** A model of one id. */
export interface ModelOf<State = unknown> {
  readonly model: DecisionModel<State>;
  readonly id: string;
}

export function defineDecisionModel<State, const Types extends AnyEventType>(definition: {
  readonly name: string;
  readonly tag: string;
  readonly topic: EventTopic<Types>;
  readonly initial: State;
  readonly on: {
    readonly [Name in NameOf<Types>]?: (
      state: State,
      event: EventNamed<Types, Name>,
      meta: FactMeta,
    ) => State;
  };
}): DecisionModel<State> & { of(id: string): ModelOf<State> } {
  const model = definition as unknown as DecisionModel<State>;
  return { ...model, of: (id) => ({ model, id }) };
}

/** An event that a decision lets happen; the engine gives it id, position and time. */
export interface Fact {
  readonly topic: EventTopic;
  readonly type: AnyEventType;
  readonly event: unknown;
}

export function fact<Types extends AnyEventType, Type extends Types>(
  topic: EventTopic<Types>,
  type: Type,
  event: EventOf<Type>,
): Fact {
  return { topic, type, event };
}

/** An expected no. */
export interface Refusal {
  /** From the closed list of the domain: `module-full`. */
  readonly code: string;
  /** One sentence for a person. */
  readonly detail: string;
}

export type Decision<Answer = unknown> =
  | { readonly kind: "accepted"; readonly facts: readonly Fact[]; readonly answer: Answer }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Accepts; with no facts the answer only tells what is already so (a command given twice). */
export const accept = <Answer>(facts: readonly Fact[], answer: Answer): Decision<Answer> => ({
  kind: "accepted",
  facts,
  answer,
});

export const refuse = (code: string, detail: string): Decision<never> => ({
  kind: "refused",
  refusal: { code, detail },
});

export interface DecisionContext {
  /**
   * Has this time come, by the clock that will record the events? Each question bounds the recorded
   * time of the append, so that the answer is still true when the events are recorded. A command
   * that tells its time is asked against that.
   */
  reached(timeMs: number): boolean;
  /** A new id. The same call in the same processor record gives the same ids. */
  newId(): string;
}

type States<Models> = {
  readonly [Name in keyof Models]: Models[Name] extends ModelOf<infer State> ? State : never;
};

/** A command: what it must know, and what it decides. Pure: it may be asked again. */
export interface Command<Input = unknown, Answer = unknown> {
  readonly name: string;
  readonly reads: (input: Input) => Readonly<Record<string, ModelOf>>;
  readonly decide: (
    input: Input,
    states: Readonly<Record<string, unknown>>,
    context: DecisionContext,
  ) => Decision<Answer>;
  /**
   * More models, named by what the first ones say (a withdrawal knows its registration's id, and
   * only the registration's events its module). Asked until it names nothing new.
   */
  readonly readsMore?: (
    input: Input,
    states: Readonly<Record<string, unknown>>,
  ) => Readonly<Record<string, ModelOf>>;
}

/** A command with its input. */
export interface CommandCall<Answer = unknown> {
  readonly command: Command<never, Answer>;
  readonly input: unknown;
}

type Callable<Input, Answer> = ((input: Input) => CommandCall<Answer>) & {
  readonly command: Command<Input, Answer>;
};

export function defineCommand<
  Input,
  Models extends Readonly<Record<string, ModelOf>>,
  Answer,
  More extends Readonly<Record<string, ModelOf>> = Record<never, never>,
>(definition: {
  readonly name: string;
  readonly reads: (input: Input) => Models;
  readonly readsMore?: (input: Input, states: States<Models>) => Partial<More>;
  readonly decide: (
    input: Input,
    states: States<Models> & Partial<States<More>>,
    context: DecisionContext,
  ) => Decision<Answer>;
}): Callable<Input, Answer> {
  const command = definition as unknown as Command<Input, Answer>;
  const call = (input: Input): CommandCall<Answer> => ({
    command,
    input,
  });
  return Object.assign(call, { command });
}
