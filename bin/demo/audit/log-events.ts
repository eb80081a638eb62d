import type { RecordLog } from "../../../engine/ports/record-log.ts";
import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";
import { header } from "../../../engine/envelope.ts";
import { PayloadDecoder } from "../../log/payload.ts";
import { textOf } from "../../log/printable.ts";
import { type ReadRecord, readDecoded } from "../../log/read.ts";

/** An event as the log has it, whatever this program's own types say of it. */
export interface LoggedEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  /** Of its lane in the store, from 1. */
  readonly sequence: number;
  /** Last part of the record's full name: `ModuleRegistered`. */
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface EventLog {
  readonly log: RecordLog;
  readonly registry: SchemaRegistry;
}

/** All events of a topic: in order within each partition, and so within each key. */
export async function* loggedEvents(
  { log, registry }: EventLog,
  topic: string,
): AsyncGenerator<LoggedEvent, void> {
  const bounds = await log.bounds(topic);
  const from = new Map(bounds.map(({ partition, start }) => [partition, start]));
  const { signal } = new AbortController();
  const request = { topic, from, until: "end", key: undefined, signal } as const;
  for await (const read of readDecoded(log, new PayloadDecoder(registry), request)) {
    yield eventOf(read);
  }
}

function eventOf({ topic, partition, offset, record, value }: ReadRecord): LoggedEvent {
  if (value.kind !== "decoded") {
    throw new Error(`${topic} ${partition}@${offset} is no event that can be read.`);
  }
  const headers = new Map(record.headers.map((one) => [one.name, one.value]));
  const text = (name: string): string => textOf(headers.get(name) ?? new Uint8Array());
  return {
    topic,
    partition,
    offset,
    id: text(header.id),
    sequence: Number(text(header.sequence)),
    type: (value.type ?? "").split(".").at(-1) ?? "",
    fields: value.value as LoggedEvent["fields"],
  };
}
