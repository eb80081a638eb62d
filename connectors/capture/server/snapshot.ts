import type { ClientBase } from "pg";

import type { PartitionAppend } from "../../../engine/ports/record-log.ts";
import type { CaptureSettings } from "../options.ts";
import { encodeTuple, Tuple } from "../pgoutput/tuple.ts";
import type { PlacedChange, TransactionContext } from "../routing/change.ts";
import type { SnapshotMarker } from "../routing/envelope.ts";
import { OutboxRoute } from "../routing/outbox-route.ts";
import { PublishBatch } from "../routing/publish-batch.ts";
import type { TableRoute } from "../routing/table-route.ts";
import type { CapturedTables } from "../tables/captured-tables.ts";
import type { CreatedSlot } from "../replication-connection.ts";
import { columnNames, selectColumns, textPages } from "./text-rows.ts";

export interface SnapshotSource {
  readonly client: ClientBase;
  readonly settings: CaptureSettings;
  readonly tables: CapturedTables;
  readonly slot: CreatedSlot;
}

/**
 * The tables as the slot's snapshot sees them, in parts of bounded size: first the outbox rows that
 * were there before the slot, each lane in its order, then the captured tables' rows as op r.
 */
export async function* snapshotParts(source: SnapshotSource): AsyncGenerator<PartitionAppend[]> {
  await enterSnapshot(source);
  try {
    const batch = new PublishBatch();
    yield* outboxParts(source, batch);
    yield* tableParts(source, batch);
  } finally {
    await source.client.query("rollback");
  }
}

/** Begins a transaction that sees what the slot's stream goes on from. */
export async function enterSnapshot({ client, slot }: SnapshotSource): Promise<void> {
  await client.query("begin isolation level repeatable read read only");
  await client.query(`set transaction snapshot '${slot.snapshotName.replaceAll("'", "''")}'`);
}

async function* outboxParts(
  source: SnapshotSource,
  batch: PublishBatch,
): AsyncGenerator<PartitionAppend[]> {
  const placed = { lsn: source.slot.consistentLsn, transaction: await snapshotContext(source) };
  const tuple = new Tuple();
  for (const name of source.settings.outboxTables) {
    const columns = await columnNames(source.client, name);
    const route = new OutboxRoute(name, columns);
    const query = `${selectColumns(name, columns)} order by topic, partition, sequence`;
    for await (const rows of textPages(
      source.client,
      query,
      source.settings.limits.snapshotRowsMax,
    )) {
      for (const row of rows) {
        tuple.read(encodeTuple(row), 0);
        const change: PlacedChange["change"] = { kind: "insert", row: tuple };
        route.route({ ...placed, change }, (topic, partition, record) =>
          batch.add(topic, partition, record),
        );
      }
      yield batch.take();
    }
  }
}

interface PendingRow {
  readonly route: TableRoute;
  readonly bytes: Buffer;
  readonly first: boolean;
  readonly firstOfTable: boolean;
}

/** A row's marker tells whether it is the last, so each waits for the next one. */
export async function* tableParts(
  source: SnapshotSource,
  batch = new PublishBatch(),
): AsyncGenerator<PartitionAppend[]> {
  const transaction = await snapshotContext(source);
  const { client } = source;
  const pageRows = source.settings.limits.snapshotRowsMax;
  const emitter = new SnapshotEmitter(batch, { lsn: source.slot.consistentLsn, transaction });
  let pending: PendingRow | undefined;
  for (const captured of source.settings.tables) {
    const names = source.tables.snapshotColumns(await source.tables.definition(captured));
    const route = await source.tables.tableRoute(captured, names);
    let firstOfTable = true;
    for await (const rows of textPages(client, selectColumns(captured.name, names), pageRows)) {
      for (const row of rows) {
        if (pending) emitter.emit(pending, firstOfTable ? "of table" : "no");
        pending = { route, bytes: encodeTuple(row), first: !pending, firstOfTable };
        firstOfTable = false;
      }
      if (batch.records > 0) yield batch.take();
    }
  }
  if (pending) emitter.emit(pending, "of all");
  if (batch.records > 0) yield batch.take();
}

class SnapshotEmitter {
  readonly #batch: PublishBatch;
  readonly #place: Omit<PlacedChange, "change">;
  readonly #tuple = new Tuple();

  constructor(batch: PublishBatch, place: Omit<PlacedChange, "change">) {
    this.#batch = batch;
    this.#place = place;
  }

  emit(row: PendingRow, last: "no" | "of table" | "of all"): void {
    this.#tuple.read(row.bytes, 0);
    const change: PlacedChange["change"] = { kind: "insert", row: this.#tuple };
    row.route.snapshot(
      { ...this.#place, change },
      (topic, partition, record) => this.#batch.add(topic, partition, record),
      marker(row, last),
    );
  }
}

function marker(row: PendingRow, last: "no" | "of table" | "of all"): SnapshotMarker {
  if (last === "of all") return "last";
  if (row.first) return "first";
  if (last === "of table") return "last_in_data_collection";
  return row.firstOfTable ? "first_in_data_collection" : "true";
}

export async function snapshotContext({ client }: SnapshotSource): Promise<TransactionContext> {
  const { rows } = await client.query<{ xid: string; time_us: string }>(
    `select (pg_snapshot_xmax(pg_current_snapshot())::text::numeric % 4294967296)::text as xid,
       floor(extract(epoch from now()) * 1000000)::text as time_us`,
  );
  return {
    transactionId: Number(rows[0]?.xid),
    commitTimeUs: Number(rows[0]?.time_us),
    previousCommitLsn: 0,
    origin: undefined,
    totalOrder: 0,
    tableOrder: new Map(),
  };
}
