import type { AnyEventType, ChangeTopic, EventTopic } from "../topic.ts";

/** Bytes in the Confluent wire format: a zero byte, the schema id (4 bytes, big endian), Avro. */
export interface EventCodec {
  /**
   * Registers the schemas of a topic's event types (subjects `<topic>-<full record name>`,
   * BACKWARD_TRANSITIVE); afterwards `encode` is synchronous. Idempotent.
   */
  prepare(topic: EventTopic): Promise<void>;
  /**
   * @throws InvariantViolation when the topic wasn't prepared.
   * @throws RecordError `encode` when the event doesn't fit its schema.
   */
  encode(topic: EventTopic, type: AnyEventType, event: unknown): Uint8Array;
  /** A reader of these event types, in the shape of the schemas given here. */
  events(types: readonly AnyEventType[]): EventReader;
  /** A reader of a change topic's values. */
  changes(topic: ChangeTopic): ChangeReader;
}

/** Decoders by writer's schema id. One lookup a record in the hot path, one learning a new id. */
export interface EventReader {
  /** undefined while this id is unknown here: then `await learn(id)` and ask again. */
  known(schemaId: number): EventDecoder | undefined;
  /**
   * @throws TransientError when the registry can't be asked.
   * @throws RecordError `schema-unknown` when it has no such id, `schema-incompatible` when the
   * writer's schema can't be read as ours.
   */
  learn(schemaId: number): Promise<EventDecoder>;
}

export interface EventDecoder {
  /** Short name of the event type; undefined when it is none of those asked for: skip the record. */
  readonly type: string | undefined;
  /**
   * Decodes the Avro bytes in [start, end), the frame already passed.
   * @throws RecordError `decode`.
   */
  decode(bytes: Buffer, start: number, end: number): unknown;
}

export interface ChangeReader {
  known(schemaId: number): ChangeDecoder | undefined;
  learn(schemaId: number): Promise<ChangeDecoder>;
}

export interface ChangeDecoder {
  /** @throws RecordError `decode`. */
  decode(bytes: Buffer, start: number, end: number): RowChange;
}

/** A row's change, read from Debezium's envelope. */
export interface RowChange<Row = unknown> {
  /** Create, update, delete, snapshot read, truncate. */
  readonly op: "c" | "u" | "d" | "r" | "t";
  /** With the default replica identity: null on updates, and only the key on deletes. */
  readonly before: Row | null;
  readonly after: Row | null;
  /** Milliseconds: when the transaction committed (snapshot: when the row was read). */
  readonly sourceTimestampMs: number;
  /** Commit LSN of the transaction before (0 where there was none) and order within its own. */
  readonly commitLsn: bigint;
  readonly order: number;
  /** Identifies the transaction; undefined for snapshot rows. */
  readonly transactionId: string | undefined;
  readonly snapshot: boolean;
}

export const frameBytes = 5;

/** The schema id of framed bytes, or undefined when they are not framed. */
export function framedSchemaId(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start < frameBytes || bytes[start] !== 0) return undefined;
  return bytes.readInt32BE(start + 1);
}
