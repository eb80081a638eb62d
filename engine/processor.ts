import type { AnyRow, Columns, RowOf } from "./columns.ts";
import type { CommandCall, FollowUps } from "./decision/definition.ts";
import { assertDefinition, type RecordMeta } from "./projection.ts";
import type {
  AnyEventType,
  ChangeTopic,
  EventNamed,
  EventOf,
  EventTopic,
  NameOf,
  TypesOf,
} from "./topic.ts";
import { topicsFrom } from "./topic.ts";

/**
 * Asks for a decision. It is made inside the flush, against the store; its acceptance or refusal may
 * lead to further calls. A refusal that leads nowhere is counted and left.
 */
export type Emit = <Answer>(call: CommandCall<Answer>, followUps?: FollowUps<Answer>) => void;

/** The state after the record; undefined is "no state". */
export type React<State, Event> = (
  state: State | undefined,
  event: Event,
  emit: Emit,
  meta: RecordMeta,
) => State | undefined | void;

interface ProcessorBase<C extends Columns> {
  readonly name: string;
  /** Left out: no state is kept, and what a reaction returns doesn't count. */
  readonly state?: C;
  /** See `ProjectionBase.onRecordError`. */
  readonly onRecordError?: "halt" | "park";
}

export interface EventProcessor<
  Types extends AnyEventType = AnyEventType,
  C extends Columns = Columns,
> extends ProcessorBase<C> {
  readonly kind: "events";
  readonly from: readonly EventTopic<Types>[];
  /** The state's key. Only a processor without state may leave it out: the record's own. */
  readonly key?: string | ((event: EventOf<Types>) => string | undefined);
  readonly on: {
    readonly [Name in NameOf<Types>]: React<RowOf<C>, EventNamed<Types, Name>> | "ignore";
  };
}

export interface ChangeProcessor<
  Source = unknown,
  Key = unknown,
  C extends Columns = Columns,
> extends ProcessorBase<C> {
  readonly kind: "changes";
  readonly from: ChangeTopic<Source, Key>;
  readonly key: (row: Key) => string;
  readonly on: {
    readonly upsert: React<RowOf<C>, Source>;
    readonly delete: React<RowOf<C>, Key>;
  };
}

/** Parameters are `never`, so that every typed definition fits; the engine casts where it calls. */
export type ErasedReact = (
  state: never,
  event: never,
  emit: Emit,
  meta: RecordMeta,
) => AnyRow | undefined | void;

export interface ErasedEventProcessor extends ProcessorBase<Columns> {
  readonly kind: "events";
  readonly from: readonly EventTopic[];
  readonly key?: string | ((event: never) => string | undefined);
  readonly on: Readonly<Record<string, ErasedReact | "ignore">>;
}

export interface ErasedChangeProcessor extends ProcessorBase<Columns> {
  readonly kind: "changes";
  readonly from: ChangeTopic;
  readonly key: (row: never) => string;
  readonly on: { readonly upsert: ErasedReact; readonly delete: ErasedReact };
}

/** Any processor, its types forgotten. */
export type AnyProcessor = ErasedEventProcessor | ErasedChangeProcessor;

/** Declares a processor of events. @throws TypeError naming what is wrong. */
export function defineProcessor<
  const From extends EventTopic | readonly EventTopic[],
  const C extends Columns,
>(
  definition: Omit<EventProcessor<TypesOf<From>, C>, "kind" | "from"> & { readonly from: From },
): EventProcessor<TypesOf<From>, C> {
  const from = topicsFrom(definition.from);
  assertDefinition(definition.name, 1, from);
  if (definition.state !== undefined && definition.key === undefined) {
    throw new TypeError(`${definition.name}: it keeps state, and has no key for it.`);
  }
  return { ...definition, kind: "events", from };
}

/** Declares a processor of a table's row changes. */
export function defineTableProcessor<Source, Key, const C extends Columns>(
  definition: Omit<ChangeProcessor<Source, Key, C>, "kind">,
): ChangeProcessor<Source, Key, C> {
  assertDefinition(definition.name, 1, [definition.from]);
  return { ...definition, kind: "changes" };
}
