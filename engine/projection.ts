import type { AnyRow, Columns, RowOf } from "./columns.ts";
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

/** What is known of a record beside its event. One object is used again for every record. */
export interface RecordMeta {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds: the recorded time of an event, the commit time of a row change. */
  readonly recordedAtMs: number;
  /** 0 where the record has no lane. */
  readonly sequence: number;
}

/** `(row, event) => row`; undefined is "no such row" on both sides. Pure and synchronous. */
export type Fold<Row, Event> = (
  row: Row | undefined,
  event: Event,
  meta: RecordMeta,
) => Row | undefined;

/** Every event type of the topics is named: with its fold, or as not concerning this projection. */
export type EventFolds<Types extends AnyEventType, Row> = {
  readonly [Name in NameOf<Types>]: Fold<Row, EventNamed<Types, Name>> | "ignore";
};

/** Row changes: the engine has settled which of a transaction's changes to a key count. */
export interface ChangeFolds<Source, Row> {
  readonly upsert: Fold<Row, Source>;
  readonly delete: (row: Row, meta: RecordMeta) => Row | undefined;
}

/** A notice for each changed row and flush (coalesced), through the outbox. */
export interface Notify<Row, Type extends AnyEventType> {
  readonly to: EventTopic<Type>;
  readonly type: Type;
  /** `row` as the flush leaves it (undefined: deleted); undefined sends nothing. */
  readonly event: (
    row: Row | undefined,
    before: Row | undefined,
    at: NoticeContext,
  ) => EventOf<Type> | undefined;
}

export interface NoticeContext {
  /** The row's key. */
  readonly key: string;
  /** Token of the position that the flush reaches in the row's partition (position-token.ts). */
  readonly sourcePosition: string;
}

interface ProjectionBase<C extends Columns> {
  readonly name: string;
  /** Raise it when the fold or the columns change: a new generation is built. */
  readonly version: number;
  readonly row: C;
  readonly indexes?: readonly (readonly (keyof C & string)[])[];
  readonly stores?: readonly ("postgres" | "redis")[];
  /**
   * What a record does that can't be decoded or folded: it parks its key (the default where the
   * process keeps dead letters), or it halts its partition.
   */
  readonly onRecordError?: "halt" | "park";
  /**
   * Each event sets its whole row, whatever was there before (or deletes it). Only such a projection
   * may be rebuilt from a time without what came before it: rows whose keys had no record since
   * are missing then.
   */
  readonly overwrites?: boolean;
}

export interface EventProjection<
  Types extends AnyEventType = AnyEventType,
  C extends Columns = Columns,
  Notice extends AnyEventType = AnyEventType,
> extends ProjectionBase<C> {
  readonly kind: "events";
  readonly from: readonly EventTopic<Types>[];
  /** The row's key: a field (events that lack it are left alone), or a function of the event. */
  readonly key: string | ((event: EventOf<Types>) => string | undefined);
  readonly on: EventFolds<Types, RowOf<C>>;
  readonly notify?: Notify<RowOf<C>, Notice>;
  /**
   * Tags with which the event store finds a row's history without reading the whole log: every event
   * of these topics that this key's row is made of must carry all of them (others may, too). Folds
   * that ask for `meta.offset`, which events in the store don't have, must not declare it.
   */
  readonly history?: (key: string) => readonly string[];
}

export interface ChangeProjection<
  Source = unknown,
  Key = unknown,
  C extends Columns = Columns,
> extends ProjectionBase<C> {
  readonly kind: "changes";
  readonly from: ChangeTopic<Source, Key>;
  /** The row's key, from the row or (on deletes) what is left of it: the key's columns. */
  readonly key: (row: Key) => string;
  readonly on: ChangeFolds<Source, RowOf<C>>;
}

/** Any projection, its types forgotten: what the engine works with. */
export type AnyProjection = ErasedEventProjection | ErasedChangeProjection;

/** Parameters are `never`, so that every typed definition fits; the engine casts where it calls. */
export interface ErasedNotify {
  readonly to: EventTopic;
  readonly type: AnyEventType;
  readonly event: (row: never, before: never, at: NoticeContext) => unknown;
}

interface ErasedBase extends Omit<ProjectionBase<Columns>, "indexes"> {
  readonly indexes?: readonly (readonly string[])[];
  readonly notify?: ErasedNotify;
}

export interface ErasedEventProjection extends ErasedBase {
  readonly kind: "events";
  readonly from: readonly EventTopic[];
  readonly key: string | ((event: never) => string | undefined);
  readonly on: Readonly<Record<string, ErasedFold | "ignore">>;
  readonly history?: (key: string) => readonly string[];
}

export interface ErasedChangeProjection extends ErasedBase {
  readonly kind: "changes";
  readonly from: ChangeTopic;
  readonly key: (row: never) => string | undefined;
  readonly on: {
    readonly upsert: ErasedFold;
    readonly delete: (row: never, meta: RecordMeta) => AnyRow | undefined;
  };
}

export type ErasedFold = (row: never, event: never, meta: RecordMeta) => AnyRow | undefined;

/**
 * Declares a projection of events. A wrong field, an event type that the topic doesn't have or one
 * that is left unnamed is a compile error; what types can't say is checked here.
 *
 * @throws TypeError naming every fault (name, version, co-partitioning).
 */
export function defineProjection<
  const From extends EventTopic | readonly EventTopic[],
  const C extends Columns,
  const Notice extends AnyEventType = never,
>(
  definition: Omit<EventProjection<TypesOf<From>, C, Notice>, "kind" | "from"> & {
    readonly from: From;
  },
): EventProjection<TypesOf<From>, C, Notice> {
  const from = topicsFrom(definition.from);
  const projection: EventProjection<TypesOf<From>, C, Notice> = {
    ...definition,
    kind: "events",
    from,
  };
  assertDefinition(projection.name, projection.version, from);
  return projection;
}

/** Declares a projection of a table's row changes. */
export function defineTableProjection<Source, Key, const C extends Columns>(
  definition: Omit<ChangeProjection<Source, Key, C>, "kind">,
): ChangeProjection<Source, Key, C> {
  assertDefinition(definition.name, definition.version, [definition.from]);
  return { ...definition, kind: "changes" };
}

export function assertDefinition(
  name: string,
  version: number,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): void {
  const faults: string[] = [];
  // 40 characters leave room for the generation in Postgres' 63.
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    faults.push("its name must be of a-z, 0-9 and -, begin with a letter, and have at most 40");
  }
  if (!Number.isInteger(version) || version < 1) faults.push("its version must be 1 or more");
  if (topics.length === 0) faults.push("it reads no topic");
  if (new Set(topics.map((topic) => topic.partitions)).size > 1) {
    const counts = topics.map((topic) => `${topic.name} has ${topic.partitions}`).join(", ");
    faults.push(`its topics are not co-partitioned (${counts})`);
  }
  if (faults.length > 0) throw new TypeError(`${name}: ${faults.join("; ")}.`);
}
