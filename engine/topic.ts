/**
 * An event type: an Avro record's name and schema, with the TypeScript type that it decodes to.
 * `schemas/generated` has one for each .avsc file; `refold/avro` makes them from inline schemas.
 */
export interface EventType<Name extends string = string, Event = unknown> {
  /** The short name, unique in its topic: `ModuleOffered`. */
  readonly name: Name;
  /** With namespace: `refold.modules.ModuleOffered`. */
  readonly fullName: string;
  /** The parsed Avro schema: a record. */
  readonly schema: AvroRecordSchema;
  /** Where `schema` has only the fields that somebody reads: the whole one, which writers still owe. */
  readonly contract?: AvroRecordSchema;
  /** Never set: carries the type. */
  readonly _event?: Event;
}

export interface AvroRecordSchema {
  readonly type: "record";
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly { readonly name: string; readonly type: unknown }[];
}

export type AnyEventType = EventType<string, unknown>;
export type EventOf<T> = T extends EventType<string, infer Event> ? Event : never;
export type NameOf<T> = T extends EventType<infer Name, unknown> ? Name : never;

/** The event of one name among several types. */
export type EventNamed<Types extends AnyEventType, Name extends string> = EventOf<
  Extract<Types, { readonly name: Name }>
>;

/** Which field carries which kind of id: `{ moduleCode: "module" }` tags `module:<value>`. */
export type TagFields = Readonly<Record<string, string>>;

/**
 * A topic of domain events. All its events share one key rule, and so a partition; it is the same
 * partition in every log (murmur2 of the key, as Kafka's default partitioner has it).
 */
export interface EventTopic<Types extends AnyEventType = AnyEventType> {
  readonly kind: "events";
  readonly name: string;
  readonly partitions: number;
  readonly events: readonly Types[];
  /** The name of the field that is the record's key; every event type has it, as a string. */
  readonly key: string;
  readonly tags: TagFields;
  /** How long the log keeps records; undefined is for ever. */
  readonly retentionMs?: number;
}

/**
 * A topic of row changes from a Postgres table, in Debezium's envelope. `Row` is the table's row as
 * the capture writes it.
 */
export interface ChangeTopic<Row = unknown, Key = unknown> {
  readonly kind: "changes";
  readonly name: string;
  readonly partitions: number;
  /** `schema.table` of the captured table. */
  readonly table: string;
  /** Reader schema of the row (the `Value` record of the envelope); unknown fields are left out. */
  readonly row: AvroRecordSchema;
  /** Reader schema of the record's key. */
  readonly key: AvroRecordSchema;
  readonly _row?: Row;
  readonly _key?: Key;
}

/** The event types of one topic, or of several. */
export type TypesOf<From> =
  From extends EventTopic<infer Types>
    ? Types
    : From extends readonly EventTopic<infer Types>[]
      ? Types
      : never;

/** What a definition reads, as a list. */
export function topicsFrom<From extends EventTopic | readonly EventTopic[]>(
  from: From,
): readonly EventTopic<TypesOf<From>>[] {
  return (Array.isArray(from) ? from : [from]) as readonly EventTopic<TypesOf<From>>[];
}

export type AnyTopic = EventTopic | ChangeTopic;

/**
 * Declares a topic of events, checking that every event type has the key field and that names are
 * unique.
 *
 * @throws TypeError naming every fault.
 */
export function defineTopic<const Types extends AnyEventType>(definition: {
  readonly name: string;
  readonly key: keyof EventOf<Types> & string;
  readonly partitions?: number;
  readonly events: readonly Types[];
  readonly tags?: TagFields;
  readonly retentionMs?: number;
}): EventTopic<Types> {
  const topic: EventTopic<Types> = {
    kind: "events",
    partitions: 10,
    tags: {},
    ...definition,
  };
  const faults = [...topicFaults(topic)];
  if (faults.length > 0) throw new TypeError(`Topic ${topic.name}: ${faults.join("; ")}.`);
  return topic;
}

function* topicFaults(topic: EventTopic): Generator<string> {
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic.name)) {
    yield "its name has characters that Kafka refuses, or more than 249";
  }
  if (!Number.isInteger(topic.partitions) || topic.partitions < 1) {
    yield `partitions must be a positive integer, not ${topic.partitions}`;
  }
  const seen = new Set<string>();
  for (const event of topic.events) {
    if (seen.has(event.name)) yield `two event types are named ${event.name}`;
    seen.add(event.name);
    const key = event.schema.fields.find((field) => field.name === topic.key);
    if (key?.type !== "string") yield `${event.name} has no string field ${topic.key} for the key`;
  }
}

/** Declares a topic of row changes; `Row` and `Key` say what the two reader schemas decode to. */
export function defineChangeTopic<Row, Key>(
  definition: Omit<ChangeTopic<Row, Key>, "kind" | "_row" | "_key">,
): ChangeTopic<Row, Key> {
  return { kind: "changes", ...definition };
}
