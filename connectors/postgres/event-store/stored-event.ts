import type { StoredEvent } from "../../../engine/ports/event-store.ts";
import { globalPosition, sequence } from "../../../engine/position.ts";

/** A row of `refold.events`, as pg reads these columns. */
export interface EventRow {
  readonly position: bigint;
  readonly topic: string;
  readonly partition: number;
  readonly sequence: bigint;
  readonly key: string;
  readonly value: Buffer;
  readonly ce_id: string;
  readonly ce_type: string;
  readonly ce_time: string;
  readonly ce_incarnation: string;
  readonly ce_correlationid: string;
  readonly ce_causationid: string | null;
  readonly traceparent: string | null;
  readonly tags: string[];
}

const columns: readonly (keyof EventRow)[] = [
  "position",
  "topic",
  "partition",
  "sequence",
  "key",
  "value",
  "ce_id",
  "ce_type",
  "ce_time",
  "ce_incarnation",
  "ce_correlationid",
  "ce_causationid",
  "traceparent",
  "tags",
];

/** The columns of an event behind a prefix, for a select list: `e.` or `(a.event).`. */
export const eventColumns = (prefix: string): string =>
  columns.map((name) => `${prefix}${name}`).join(", ");

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    id: row.ce_id,
    type: row.ce_type,
    topic: row.topic,
    partition: row.partition,
    key: row.key,
    value: row.value,
    tags: row.tags,
    correlationId: row.ce_correlationid,
    ...(row.ce_causationid === null ? {} : { causationId: row.ce_causationid }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    position: globalPosition(row.position),
    sequence: sequence(row.sequence),
    recordedAtMs: Date.parse(row.ce_time),
    incarnation: row.ce_incarnation,
  };
}
