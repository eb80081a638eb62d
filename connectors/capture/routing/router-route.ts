import { FatalError } from "../../../engine/errors.ts";
import { partitionOf } from "../../../engine/partitioner.ts";
import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import type { SchemaRegistry } from "../../../engine/ports/schema-registry.ts";
import type { UpdatedRow } from "../pgoutput/messages.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import type { NameAdjustment } from "../tables/selection.ts";
import type { AvroType } from "../types/converter.ts";
import type { Emit, PlacedChange, Route } from "./change.ts";
import { connectText } from "./connect-text.ts";
import type { EnvelopeTable } from "./envelope.ts";
import type { EventRouter } from "./event-router.ts";
import { KeyHeaders } from "./key-header.ts";
import { register } from "./registered.ts";
import { RouterColumns } from "./router-columns.ts";
import { eventTimestampMs } from "./router-timestamp.ts";
import { RouterValue, type EventValue } from "./router-value.ts";
import { converted, isNull, type SideStyle } from "./side.ts";
import type { StreamShape } from "./stream-shape.ts";

export interface RouterRouteOptions {
  readonly router: EventRouter;
  readonly table: EnvelopeTable;
  readonly names: NameAdjustment;
  /** The namespace that the table's own records would have. */
  readonly namespace: string;
  /** Of the table's own key, as text; undefined where it has none. */
  readonly keySchema: string | undefined;
  /** Of each topic. */
  readonly partitions: number;
  readonly registry: SchemaRegistry;
  readonly shape: Pick<StreamShape, "skipped">;
  /** On every record, before the event's own. */
  readonly headers: readonly RecordHeader[];
  /** Milliseconds since 1970 (UTC): when the capture handles a row. */
  readonly nowMs: () => number;
}

const letters = { insert: "c", update: "u", remove: "d", truncate: "t" } as const;

/** An event on its way: what it is made of, in Avro, and where it goes. */
interface RoutedEvent {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly timestampMs: number;
  readonly key: EventValue | undefined;
  readonly value: EventValue | undefined;
  readonly headers: readonly RecordHeader[];
}

/**
 * Rows of an outbox table as events, as Debezium's Outbox Event Router makes them: only insertions
 * count, deletes mean nothing, and an update is what the settings say.
 */
export class RouterRoute implements Route {
  readonly #options: RouterRouteOptions;
  readonly #columns: RouterColumns;
  readonly #value: RouterValue;
  /** `schema.table`. */
  readonly #name: string;
  readonly #keyHeaders: KeyHeaders;
  /** Ids of schemas by subject and text. */
  readonly #ids = new Map<string, number>();

  constructor(options: RouterRouteOptions) {
    const { router, table, names, namespace } = options;
    this.#options = options;
    this.#name = `${table.schema}.${table.table}`;
    this.#keyHeaders = new KeyHeaders(table.coded, options.keySchema);
    this.#columns = new RouterColumns(this.#name, { coded: table.coded, router, names });
    this.#value = new RouterValue({ router, columns: this.#columns, namespace });
  }

  route(placed: PlacedChange, emit: Emit): Promise<void> | undefined {
    const { change } = placed;
    if (change.kind === "update" && this.#keyChanged(change)) {
      return this.#rename(placed, change, emit);
    }
    const letter = letters[change.kind];
    if (this.#options.shape.skipped.has(letter)) return undefined;
    if (change.kind === "truncate") throw truncated(this.#name);
    this.#count(placed);
    if (change.kind === "insert") return this.#event(change.row, emit);
    if (change.kind === "update") this.#unexpected();
    return undefined;
  }

  /** A row of the snapshot is an event as well. */
  snapshot({ change }: PlacedChange, emit: Emit): Promise<void> | undefined {
    return change.kind === "insert" ? this.#event(change.row, emit) : undefined;
  }

  #keyChanged({ old, row }: UpdatedRow): boolean {
    const { key } = this.#options.table.coded;
    return old !== undefined && key.some((at) => !old.row.same(row, at));
  }

  /** A row under a new key is a row removed, which means nothing, and another created. */
  #rename(placed: PlacedChange, { old, row }: UpdatedRow, emit: Emit): Promise<void> | undefined {
    const { skipped } = this.#options.shape;
    if (!skipped.has("d")) this.#count(placed);
    if (skipped.has("c") || !old) return undefined;
    this.#count(placed);
    return this.#event(row, emit, [this.#keyHeaders.of("__debezium.oldkey", old.row)]);
  }

  #event(row: Tuple, emit: Emit, first: readonly RecordHeader[] = []): Promise<void> | undefined {
    const event = this.#routed(row, first);
    const missing = this.#unregistered(event);
    if (missing.length === 0) {
      this.#tell(event, emit);
      return undefined;
    }
    return this.#register(missing).then(() => this.#tell(event, emit));
  }

  #routed(row: Tuple, first: readonly RecordHeader[]): RoutedEvent {
    const { nowMs } = this.#options;
    const columns = this.#columns;
    const routedBy = columns.text(columns.route, row);
    if (routedBy === undefined) throw unrouted(this.#name);
    const { type } = columns.key;
    const encoded = columns.encoded(columns.key, row);
    return {
      topic: this.#topic(routedBy),
      partition: this.#partition(row),
      timestampMs: eventTimestampMs(columns, row) ?? nowMs(),
      key: isNull(type, encoded) ? undefined : { type, encoded, isNull: false },
      value: this.#value.of(row, routedBy),
      headers: [...first, ...this.#options.headers, ...this.#headers(row)],
    };
  }

  /** Java names groups `${name}` where JavaScript does `$<name>`. */
  #topic(routedBy: string): string {
    const { topicExpression, topicReplacement } = this.#options.router;
    return routedBy.replace(topicExpression, topicReplacement.replaceAll(/\$\{(\w+)\}/g, "$<$1>"));
  }

  #partition(row: Tuple): number | undefined {
    const placed = this.#columns.additional.find(({ placement }) => placement === "partition");
    const text = placed && this.#columns.text(placed, row);
    return text === undefined ? undefined : Number(text);
  }

  #headers(row: Tuple): RecordHeader[] {
    const columns = this.#columns;
    const placed = columns.additional.filter(({ placement }) => placement === "header");
    return [{ ...columns.id, alias: "id" }, ...placed].map((column) => {
      const text = connectText(column.type, columns.encoded(column, row), "header");
      return { name: column.alias, value: text === null ? null : Buffer.from(text, "utf8") };
    });
  }

  #tell({ topic, partition, timestampMs, key, value, headers }: RoutedEvent, emit: Emit): void {
    const { router, partitions } = this.#options;
    const keyBytes = key ? this.#side(router.keys, `${topic}-key`, key) : null;
    const valueBytes = value ? this.#side(router.values, `${topic}-value`, value) : null;
    const chosen = partition ?? (keyBytes ? partitionOf(keyBytes, partitions) : 0);
    emit(topic, chosen, { timestampMs, key: keyBytes, value: valueBytes, headers });
  }

  #side(style: SideStyle, subject: string, { type, encoded, isNull }: EventValue): Buffer | null {
    if (style !== "avro") return converted(style, type, encoded);
    if (isNull) return null;
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(this.#ids.get(idKey(subject, type)) as number, 1);
    return Buffer.concat([frame, encoded]);
  }

  #unregistered({ topic, key, value }: RoutedEvent): { subject: string; type: AvroType }[] {
    const { router } = this.#options;
    const sides = [
      { style: router.keys, subject: `${topic}-key`, side: key },
      { style: router.values, subject: `${topic}-value`, side: value },
    ];
    return sides.flatMap(({ style, subject, side }) => {
      if (style !== "avro" || !side || side.isNull) return [];
      return this.#ids.has(idKey(subject, side.type)) ? [] : [{ subject, type: side.type }];
    });
  }

  async #register(missing: readonly { subject: string; type: AvroType }[]): Promise<void> {
    for (const { subject, type } of missing) {
      const id = await register(this.#options.registry, subject, JSON.stringify(type));
      this.#ids.set(idKey(subject, type), id);
    }
  }

  #count({ transaction }: PlacedChange): void {
    transaction.tableOrder.set(this.#name, (transaction.tableOrder.get(this.#name) ?? 0) + 1);
    transaction.totalOrder += 1;
  }

  #unexpected(): void {
    if (this.#options.router.invalidOperation !== "fatal") return;
    throw new FatalError(
      "outbox-update",
      `A row of the outbox table ${this.#name} was updated, and the router is told to halt then.`,
      "Only insert into outbox tables, or set table.op.invalid.behavior to warn.",
    );
  }
}

function idKey(subject: string, type: AvroType): string {
  return `${subject} ${typeof type === "string" ? type : JSON.stringify(type)}`;
}

function truncated(table: string): FatalError {
  return new FatalError(
    "outbox-truncate",
    `The outbox table ${table} was truncated, which is no event.`,
    "Leave truncates out (skipped.operations), or delete rows in place of truncating.",
  );
}

function unrouted(table: string): FatalError {
  return new FatalError(
    "outbox-route",
    `A row of the outbox table ${table} has null in the column that routes it.`,
    "Make that column NOT NULL.",
  );
}
