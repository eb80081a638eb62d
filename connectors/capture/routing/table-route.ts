import { partitionOf } from "../../../engine/partitioner.ts";
import type { RecordHeader } from "../../../engine/ports/record-log.ts";
import { AvroWriter } from "../avro-writer.ts";
import type { OldRow } from "../pgoutput/messages.ts";
import { unchanged, type Tuple } from "../pgoutput/tuple.ts";
import { writeKey } from "../tables/table-codec.ts";
import type { Emit, PlacedChange, Route } from "./change.ts";
import {
  writeEnvelope,
  type Envelope,
  type EnvelopeSetting,
  type EnvelopeTable,
  type SnapshotMarker,
  type SourceIdentity,
} from "./envelope.ts";
import { KeyHeaders } from "./key-header.ts";
import { Nanoseconds } from "./nanoseconds.ts";
import type { StreamShape } from "./stream-shape.ts";

export interface TableRouteOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly table: EnvelopeTable;
  readonly source: SourceIdentity;
  /** Registered ids of the topic's schemas; no key: the table has no primary key. */
  readonly schemaIds: { readonly key: number | undefined; readonly value: number };
  /** The key's schema as text; undefined where it has none. */
  readonly keySchema: string | undefined;
  readonly shape: Pick<StreamShape, "transactions" | "tombstones" | "skipped" | "unchanged">;
  /** On every record. */
  readonly headers: readonly RecordHeader[];
  /** Milliseconds since 1970 (UTC): when the capture handles a change. */
  readonly nowMs: () => number;
}

type Draft = Pick<Envelope, "operation" | "before" | "after">;

const notSnapshot: SnapshotMarker = "false";

/** A captured table's changes as Debezium's envelopes, keyed by the primary key. */
export class TableRoute implements Route {
  readonly #options: TableRouteOptions;
  readonly #writer = new AvroWriter();
  readonly #setting: EnvelopeSetting;
  /** `schema.table`. */
  readonly #name: string;
  readonly #headers: readonly RecordHeader[];
  readonly #skipped: StreamShape["skipped"];
  readonly #keyHeaders: KeyHeaders;

  constructor(options: TableRouteOptions) {
    this.#options = options;
    this.#name = `${options.table.schema}.${options.table.table}`;
    this.#headers = options.headers;
    this.#skipped = options.shape.skipped;
    this.#keyHeaders = new KeyHeaders(options.table.coded, options.keySchema);
    const times = { commitTime: new Nanoseconds(), handledTime: new Nanoseconds() };
    this.#setting = { source: options.source, table: options.table, ...times };
  }

  route(placed: PlacedChange, emit: Emit): undefined {
    const { change } = placed;
    switch (change.kind) {
      case "insert":
        this.#row(placed, emit, { operation: "c", before: undefined, after: change });
        break;
      case "update":
        this.#update(placed, emit, change);
        break;
      case "remove":
        this.#remove(placed, emit, { old: change.old });
        break;
      case "truncate":
        this.#truncate(placed, emit);
        break;
    }
  }

  /** Names of the key's columns, in its order. */
  get keyColumns(): readonly string[] {
    const { key, columns } = this.#options.table.coded;
    return key.flatMap((at) => columns[at]?.name ?? []);
  }

  /** The key of a row as its records carry it; null where the table has none. */
  keyOf(row: Tuple): Buffer | null {
    return this.#key(row);
  }

  /** A row of the snapshot: it belongs to no transaction of the stream. */
  snapshot(placed: PlacedChange, emit: Emit, marker: SnapshotMarker): undefined {
    const { change } = placed;
    if (change.kind !== "insert") return;
    const draft: Draft = { operation: "r", before: undefined, after: change };
    this.#emit(placed, emit, {
      key: this.#key(change.row),
      value: this.#value(placed, draft, marker),
      headers: this.#headers,
    });
  }

  #update(placed: PlacedChange, emit: Emit, rows: { old: OldRow | undefined; row: Tuple }): void {
    const { old, row } = rows;
    if (old && this.#keyChanged(old.row, row)) {
      this.#rename(placed, emit, { old, row });
      return;
    }
    const before = old?.whole ? old : undefined;
    if (before && this.#options.shape.unchanged === "left-out" && this.#same(before.row, row))
      return;
    const after = before ? { row, old: before.row } : { row };
    this.#row(placed, emit, { operation: "u", before, after });
  }

  /** A row under a new key is a row removed and another created, each telling of the other. */
  #rename(placed: PlacedChange, emit: Emit, { old, row }: { old: OldRow; row: Tuple }): void {
    const newKey = this.#keyHeaders.of("__debezium.newkey", row);
    const oldKey = this.#keyHeaders.of("__debezium.oldkey", old.row);
    this.#remove(placed, emit, { old, headers: [newKey, ...this.#headers] });
    const after = old.whole ? { row, old: old.row } : { row };
    const draft: Draft = { operation: "c", before: undefined, after };
    this.#row(placed, emit, draft, [oldKey, ...this.#headers]);
  }

  #row(placed: PlacedChange, emit: Emit, draft: Draft, headers = this.#headers): void {
    if (this.#skipped.has(draft.operation as "c" | "u")) return;
    const row = draft.after?.row;
    const key = row ? this.#key(row) : null;
    this.#emit(placed, emit, { key, value: this.#value(placed, draft), headers });
  }

  #remove(
    placed: PlacedChange,
    emit: Emit,
    { old, headers = this.#headers }: { old: OldRow; headers?: readonly RecordHeader[] },
  ): void {
    if (this.#skipped.has("d")) return;
    const key = this.#key(old.row);
    const draft: Draft = { operation: "d", before: old, after: undefined };
    this.#emit(placed, emit, { key, value: this.#value(placed, draft), headers });
    if (this.#options.shape.tombstones === "left-out") return;
    this.#emit(placed, emit, { key, value: null, headers });
  }

  /** Told to every partition: the rows of each are gone. */
  #truncate(placed: PlacedChange, emit: Emit): void {
    if (this.#skipped.has("t")) return;
    const draft: Draft = { operation: "t", before: undefined, after: undefined };
    const value = this.#value(placed, draft);
    const timestampMs = Math.floor(placed.transaction.commitTimeUs / 1000);
    const headers = this.#headers;
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      emit(this.#options.topic, partition, { timestampMs, key: null, value, headers });
    }
  }

  #emit(
    placed: PlacedChange,
    emit: Emit,
    record: { key: Buffer | null; value: Buffer | null; headers: readonly RecordHeader[] },
  ): void {
    const { topic, partitions } = this.#options;
    // Rows without a key keep their order only in one partition.
    const partition = record.key ? partitionOf(record.key, partitions) : 0;
    const timestampMs = Math.floor(placed.transaction.commitTimeUs / 1000);
    emit(topic, partition, { timestampMs, ...record });
  }

  #key(row: Tuple): Buffer | null {
    const { schemaIds, table } = this.#options;
    if (schemaIds.key === undefined) return null;
    this.#writer.frame(schemaIds.key);
    writeKey(this.#writer, table.coded, row);
    return this.#writer.finish();
  }

  #value(placed: PlacedChange, draft: Draft, snapshot = notSnapshot): Buffer {
    const { schemaIds, nowMs } = this.#options;
    const { lsn, transaction } = placed;
    const isTold = snapshot === notSnapshot && this.#options.shape.transactions !== "untold";
    const order = isTold ? this.#nextOrder(placed) : undefined;
    this.#writer.frame(schemaIds.value);
    const envelope = { ...draft, lsn, transaction, snapshot, order, nowMs: nowMs() };
    writeEnvelope(this.#writer, envelope, this.#setting);
    return this.#writer.finish();
  }

  #nextOrder({ transaction }: PlacedChange): { total: number; table: number } {
    const table = (transaction.tableOrder.get(this.#name) ?? 0) + 1;
    transaction.tableOrder.set(this.#name, table);
    transaction.totalOrder += 1;
    return { total: transaction.totalOrder, table };
  }

  #keyChanged(old: Tuple, row: Tuple): boolean {
    return this.#options.table.coded.key.some((at) => !old.same(row, at));
  }

  /** Whether no column that is told has changed. */
  #same(old: Tuple, row: Tuple): boolean {
    return this.#options.table.coded.told.every(
      ({ at }) => row.kind[at] === unchanged || old.same(row, at),
    );
  }
}
