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
  /**
   * Nearly always there are no events of it yet: the call is decided on the initial state, without
   * a look at the store. The append tells where that was wrong, and the call is decided again.
   */
  readonly expected?: "nothing";
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
}): DefinedModel<State> {
  const model = definition as unknown as DecisionModel<State>;
  return {
    ...model,
    of: (id) => ({ model, id }),
    ofNew: (id) => ({ model, id, expected: "nothing" }),
  };
}

export interface DefinedModel<State> extends DecisionModel<State> {
  of(id: string): ModelOf<State>;
  /** Of an id that is expected to be new (`ModelOf.expected`). */
  ofNew(id: string): ModelOf<State>;
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

/** An effect that a decision wants; its cause and tags come with it (see `defineEffect`). */
export interface WantedEffect {
  readonly key: string;
  readonly kind: string;
  readonly input: unknown;
  readonly secret?: unknown;
  readonly tags: readonly string[];
}

/** A deadline that a decision sets or cancels (see `defineDeadline`). */
export type WantedDeadline =
  | {
      readonly change: "set";
      readonly name: string;
      readonly key: string;
      readonly atMs: number;
      readonly tags: readonly string[];
    }
  | { readonly change: "cancel"; readonly name: string; readonly key: string };

/** What a decision wants beside its facts; durable with them, or not at all. */
export interface Wanted {
  readonly effects?: readonly WantedEffect[];
  readonly deadlines?: readonly WantedDeadline[];
}

export type Decision<Answer = unknown> =
  | {
      readonly kind: "accepted";
      readonly facts: readonly Fact[];
      readonly answer: Answer;
      readonly wanted?: Wanted;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Accepts; with no facts the answer only tells what is already so (a command given twice). */
export const accept = <Answer>(
  facts: readonly Fact[],
  answer: Answer,
  wanted?: Wanted,
): Decision<Answer> => ({
  kind: "accepted",
  facts,
  answer,
  ...(wanted === undefined ? {} : { wanted }),
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
  /**
   * A time that lies so far ahead, in whole milliseconds, by the clock as it was last seen: for
   * deadlines. The events may be recorded a little later than now.
   */
  inMs(durationMs: number): number;
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

/**
 * What follows a call: decided right after it, against what it has just decided, and appended with
 * it as one request. So either all of it happens, or nothing.
 */
export interface FollowUps<Answer = unknown> {
  readonly accepted?: ((answer: Answer) => Following) | undefined;
  readonly refused?: ((refusal: Refusal) => Following) | undefined;
}

/** Nothing, one call, or several in order, each with what follows it in turn. */
export type Following = FollowingCall | readonly FollowingCall[] | undefined;
export type FollowingCall = CommandCall | FollowedCall;

export interface FollowedCall extends FollowUps<never> {
  readonly call: CommandCall;
}

/** A call with what follows it. */
export const followed = <Answer>(
  call: CommandCall<Answer>,
  followUps: FollowUps<Answer>,
): FollowedCall => ({ call, ...followUps });

/** The calls of a following, in order. */
export function followingCalls(following: Following): readonly FollowedCall[] {
  if (following === undefined) return [];
  const calls = "length" in following ? following : [following];
  return calls.map((one) => ("call" in one ? one : { call: one }));
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
