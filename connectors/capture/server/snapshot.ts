import type { ClientBase } from "pg";

import type { PartitionAppend } from "../../../engine/ports/record-log.ts";
import type { CaptureSettings } from "../options.ts";
import { encodeTuple, Tuple } from "../pgoutput/tuple.ts";
import { laneRecords } from "../repair/lane-rows.ts";
import { unpublishedLanes } from "../repair/unpublished.ts";
import type { Emit, PlacedChange, TransactionContext } from "../routing/change.ts";
import type { SnapshotMarker } from "../routing/envelope.ts";
import { PublishBatch } from "../routing/publish-batch.ts";
import type { RowRoute } from "../tables/captured-tables.ts";
import type { CapturedTables } from "../tables/captured-tables.ts";
import type { CreatedSlot } from "../replication-connection.ts";
import { snapshotQuery, snapshotTables } from "./snapshot-tables.ts";
import { textPages } from "./text-rows.ts";

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
    yield* outboxParts(source);
    if (source.settings.snapshot.mode !== "no_data") yield* tableParts(source);
  } finally {
    await source.client.query("rollback");
  }
}

/** Begins a transaction that sees what the slot's stream goes on from. */
export async function enterSnapshot({ client, slot }: SnapshotSource): Promise<void> {
  await client.query("begin isolation level repeatable read read only");
  await client.query(`set transaction snapshot '${slot.snapshotName.replaceAll("'", "''")}'`);
}

/** What the log lacks of the lanes: all of them where it has none yet. */
export async function* outboxParts({
  client,
  settings,
}: Pick<SnapshotSource, "client" | "settings">): AsyncGenerator<PartitionAppend[]> {
  for (const table of settings.outboxTables) {
    for (const range of await unpublishedLanes({ client, sink: settings.sink }, table)) {
      yield* laneRecords(client, range, settings.limits.snapshotRowsMax);
    }
  }
}

interface PendingRow {
  readonly route: RowRoute;
  readonly bytes: Buffer;
  readonly first: boolean;
  readonly firstOfTable: boolean;
}

/** A row's marker tells whether it is the last, so each waits for the next one. */
export async function* tableParts(source: SnapshotSource): AsyncGenerator<PartitionAppend[]> {
  const batch = new PublishBatch();
  const transaction = await snapshotContext(source);
  const { client, settings } = source;
  const pageRows = settings.limits.snapshotRowsMax;
  const emit: Emit = (topic, partition, record) => {
    settings.onRecord?.(topic, partition, record);
    batch.add(topic, partition, record);
  };
  const emitter = new SnapshotEmitter(emit, { lsn: source.slot.consistentLsn, transaction });
  let pending: PendingRow | undefined;
  for (const captured of snapshotTables(settings)) {
    const names = source.tables.snapshotColumns(await source.tables.definition(captured));
    const route = await source.tables.tableRoute(captured, names);
    const query = await snapshotQuery(client, settings, { table: captured.name, columns: names });
    let firstOfTable = true;
    for await (const rows of textPages(client, query, pageRows)) {
      for (const row of rows) {
        if (pending) await emitter.emit(pending, firstOfTable ? "of table" : "no");
        pending = { route, bytes: encodeTuple(row), first: !pending, firstOfTable };
        firstOfTable = false;
      }
      if (batch.records > 0) yield batch.take();
    }
  }
  if (pending) await emitter.emit(pending, "of all");
  if (batch.records > 0) yield batch.take();
}

class SnapshotEmitter {
  readonly #emit: Emit;
  readonly #place: Omit<PlacedChange, "change">;
  readonly #tuple = new Tuple();

  constructor(emit: Emit, place: Omit<PlacedChange, "change">) {
    this.#emit = emit;
    this.#place = place;
  }

  emit(row: PendingRow, last: "no" | "of table" | "of all"): Promise<void> | undefined {
    this.#tuple.read(row.bytes, 0);
    const change: PlacedChange["change"] = { kind: "insert", row: this.#tuple };
    return row.route.snapshot({ ...this.#place, change }, this.#emit, marker(row, last));
  }
}

function marker(row: PendingRow, last: "no" | "of table" | "of all"): SnapshotMarker {
  if (last === "of all") return "last";
  if (row.first) return "first";
  if (last === "of table") return "last_in_data_collection";
  return row.firstOfTable ? "first_in_data_collection" : "true";
}

/** The snapshot's own transaction is the one that its rows name: it gets an id for that. */
export async function snapshotContext({ client }: SnapshotSource): Promise<TransactionContext> {
  const { rows } = await client.query<{ xid: string; time_us: string }>(
    `select (pg_current_xact_id()::text::numeric % 4294967296)::text as xid,
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
