import { header } from "../envelope.ts";
import { RecordError } from "../errors.ts";
import { sequence } from "../position.ts";
import {
  type EventCodec,
  type EventDecoder,
  type EventReader,
  frameBytes,
  framedSchemaId,
} from "../ports/codec.ts";
import type { LetterSource } from "../ports/dead-letters.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { AnyEventType, EventTopic } from "../topic.ts";
import { narrowed } from "./fields-read.ts";
import type { HotRows } from "./hot-rows.ts";
import type { Intake, IntakeNeeds, IntakeSource, Taken } from "./intake.ts";
import { checkLane } from "./lane-check.ts";
import { checkKey } from "./row-check.ts";
import type { SourceOrigin } from "./source-origin.ts";
import type { Staged } from "./staged.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface EventIntakeOptions<Handler> {
  readonly codec: EventCodec;
  readonly topics: readonly EventTopic[];
  /** undefined: the record's own key counts. */
  readonly key: string | ((event: never) => string | undefined) | undefined;
  readonly on: Readonly<Record<string, Handler | "ignore">>;
  readonly staged: Staged<Handler>;
  readonly rows: HotRows;
  readonly needs: IntakeNeeds;
  /** Records with another key are passed over, and not decoded; those without one are. */
  readonly onlyKey?: Uint8Array | undefined;
}

interface Route<Handler> {
  readonly decoder: EventDecoder;
  /** undefined: the event doesn't concern this definition. */
  readonly handler: Handler | undefined;
}

/** Takes records of event topics: one lookup for the schema, one for the row. */
export class EventIntake<Handler> implements Intake {
  readonly #options: EventIntakeOptions<Handler>;
  readonly #staged: Staged<Handler>;
  readonly #reader: EventReader;
  readonly #routes = new Map<number, Route<Handler>>();
  #unknownId = 0;
  #lastId = -1;
  #lastRoute: Route<Handler> | undefined;

  constructor(options: EventIntakeOptions<Handler>) {
    this.#options = options;
    this.#staged = options.staged;
    const types = new Map(
      options.topics.flatMap((topic) => topic.events.map((type) => [type.fullName, type] as const)),
    );
    // What is ignored isn't even decoded, nor are fields that nothing reads.
    const read = [...types.values()].filter((type) => options.on[type.name] !== "ignore");
    this.#reader = options.codec.events(read.map((type) => asRead(type, options)));
  }

  check(cursor: RecordCursor, source: TaskPartition): "apply" | "duplicate" {
    return checkLane(cursor, source);
  }

  take(cursor: RecordCursor, source: IntakeSource): Taken {
    const { bytes, valueStart, valueEnd } = cursor;
    if (valueStart < 0) return "passed";
    const { onlyKey } = this.#options;
    if (onlyKey && cursor.keyStart >= 0 && !cursor.keyIs(onlyKey)) return "passed";
    const id = framedSchemaId(bytes, valueStart, valueEnd);
    if (id === undefined) throw unframed(source, cursor.offset);
    const route = this.#route(id);
    if (route === undefined) {
      this.#unknownId = id;
      return "learn";
    }
    if (route.handler === undefined) return "passed";
    const event = route.decoder.decode(bytes, valueStart + frameBytes, valueEnd);
    const key = this.#keyOf(event, cursor);
    if (key === undefined) return "passed";
    this.#stage(cursor, source, { event, key, handler: route.handler });
    return "staged";
  }

  setAside(_cursor: RecordCursor, { staged }: IntakeSource): LetterSource {
    if (staged.kind !== "lane") return { kind: "unknown" };
    const { incarnation, nextSequence } = staged;
    return { kind: "lane", incarnation, sequence: sequence(nextSequence) };
  }

  async learn(): Promise<void> {
    await this.#reader.learn(this.#unknownId);
  }

  #route(id: number): Route<Handler> | undefined {
    if (id === this.#lastId) return this.#lastRoute;
    let route = this.#routes.get(id);
    if (route === undefined) {
      const decoder = this.#reader.known(id);
      if (decoder === undefined) return undefined;
      const handler = decoder.type === undefined ? "ignore" : this.#options.on[decoder.type];
      route = { decoder, handler: handler === "ignore" ? undefined : handler };
      this.#routes.set(id, route);
    }
    this.#lastId = id;
    this.#lastRoute = route;
    return route;
  }

  #keyOf(event: unknown, cursor: RecordCursor): string | undefined {
    const { key } = this.#options;
    if (key === undefined) return ownKey(cursor);
    const found: unknown =
      typeof key === "string" ? (event as Record<string, unknown>)[key] : keyBy(key, event);
    if (typeof found === "string" || found === undefined) return found;
    if (found === null) return undefined;
    throw new RecordError("key-invalid", `The event's key is a ${typeof found}, not a string.`);
  }

  #stage(
    cursor: RecordCursor,
    source: IntakeSource,
    record: { event: unknown; key: string; handler: Handler },
  ): void {
    const staged = this.#staged;
    const at = staged.length;
    const row = this.#options.rows.of(record.key, source.partition);
    if (row.partition !== source.partition) throw elsewhere(record.key, row.partition, source);
    if (!row.loaded) {
      checkKey(record.key);
      staged.missing.push(row);
    }
    staged.events[at] = record.event;
    staged.rows[at] = row;
    staged.handlers[at] = record.handler;
    staged.offsets[at] = cursor.offset;
    staged.sequences[at] = source.staged.kind === "lane" ? source.staged.nextSequence : 0;
    staged.recordedAtMs[at] = cursor.timestampMs;
    if (at < this.#options.needs.originsMax) staged.origins[at] = originOf(cursor, source);
    staged.length = at + 1;
  }
}

/** The type with what its handler and the key read of it. */
function asRead(
  type: AnyEventType,
  { on, key }: Pick<EventIntakeOptions<unknown>, "on" | "key">,
): AnyEventType {
  const handler = { of: on[type.name], eventAt: 1 };
  if (typeof key !== "function") return narrowed(type, [handler], key === undefined ? [] : [key]);
  return narrowed(type, [handler, { of: key, eventAt: 0 }], []);
}

function ownKey({ bytes, keyStart, keyEnd }: RecordCursor): string | undefined {
  if (keyStart < 0) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, keyEnd - keyStart).toString();
}

/** Where an event comes from; without an envelope, its place in the log is its id. */
export function originOf(cursor: RecordCursor, source: IntakeSource): SourceOrigin {
  const id = cursor.headerText(header.id) ?? `${source.logId}/${source.name}/${cursor.offset}`;
  return {
    id,
    correlationId: cursor.headerText(header.correlationId) ?? id,
    traceparent: cursor.headerText(header.traceparent),
  };
}

/** What a definition's own function throws is the record's fault. */
export function keyBy<Key>(key: (of: never) => Key, of: unknown): Key {
  try {
    return key(of as never);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RecordError("key-invalid", `The definition's key function threw: ${message}`, {
      cause,
    });
  }
}

function unframed(source: IntakeSource, offset: number): RecordError {
  return new RecordError(
    "unframed",
    `The value at ${source.name} offset ${offset} isn't in the Confluent wire format: a producer ` +
      "without the schema registry's serializer has written it.",
  );
}

export function elsewhere(key: string, other: number, source: IntakeSource): RecordError {
  return new RecordError(
    "row-in-two-partitions",
    `The row ${key} is made from partition ${other} and from ${source.name}. A row belongs to one ` +
      "partition: its key must follow from the record's key.",
  );
}
