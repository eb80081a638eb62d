import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { PartitionAppend, RecordLog } from "../../../engine/ports/record-log.ts";
import type { CapturedTable, CaptureSettings } from "../options.ts";
import { encodeTuple, Tuple } from "../pgoutput/tuple.ts";
import type { CreatedSlot } from "../replication-connection.ts";
import type { TransactionContext } from "../routing/change.ts";
import { PublishBatch } from "../routing/publish-batch.ts";
import { enterSnapshot, outboxParts, snapshotContext, tableParts } from "../server/snapshot.ts";
import { selectColumns, textPages } from "../server/text-rows.ts";
import type { CapturedTables } from "../tables/captured-tables.ts";
import { topicName } from "../tables/names.ts";
import { Removals } from "./removal.ts";
import type { ToldRows } from "./told-rows.ts";

/** What a repair publishes. */
export interface RepairCounts {
  /** Events and notices that the log lacked. */
  readonly events: number;
  /** Rows of captured tables as they are. */
  readonly rows: number;
  /** Rows that the log told of, and that are gone. */
  readonly removed: number;
}

export interface RepairSource {
  readonly settings: CaptureSettings;
  readonly control: ClientBase;
  readonly log: RecordLog;
  readonly tables: CapturedTables;
  readonly told: ToldRows;
  readonly slot: CreatedSlot;
  /** Counted as the parts are made. */
  readonly counts: { -readonly [Count in keyof RepairCounts]: RepairCounts[Count] };
}

/**
 * All that the log lacks, as the new slot's snapshot sees it: lanes first, then what is gone from
 * the tables, then the rows that are there. A removal never follows its row: should a key be written
 * in another way than before, the row is told anew after the old key's removal.
 */
export async function* repairParts(repair: RepairSource): AsyncGenerator<PartitionAppend[]> {
  const { control, settings, slot, tables, counts } = repair;
  const source = { client: control, settings, tables, slot };
  await enterSnapshot(source);
  try {
    for await (const part of outboxParts(source)) yield counted(part, counts, "events");
    const context = await snapshotContext(source);
    for (const captured of settings.tables) {
      for await (const part of removalParts(repair, captured, context)) {
        counts.removed += part.reduce((sum, { records }) => sum + records.length / 2, 0);
        yield part;
      }
    }
    for await (const part of tableParts(source)) yield counted(part, counts, "rows");
  } finally {
    await control.query("rollback");
  }
}

function counted(
  part: PartitionAppend[],
  counts: RepairSource["counts"],
  which: "events" | "rows",
): PartitionAppend[] {
  counts[which] += part.reduce((sum, { records }) => sum + records.length, 0);
  return part;
}

/** A delete and its tombstone for each key that the log tells of and the table no longer has. */
async function* removalParts(
  repair: RepairSource,
  captured: CapturedTable,
  context: TransactionContext,
): AsyncGenerator<PartitionAppend[]> {
  const { settings, log, tables, told, slot } = repair;
  const table = await tables.definition(captured);
  const topic = topicName(settings, table);
  await told.read(log, topic);
  for await (const keys of presentKeys(repair, captured)) await told.found(keys);
  const removals = new Removals(settings.registry);
  const timeUs = context.commitTimeUs;
  const at = { lsn: slot.consistentLsn, transactionId: context.transactionId, timeUs };
  const timestampMs = Math.floor(timeUs / 1000);
  for await (const rows of told.left()) {
    const batch = new PublishBatch();
    for (const { key, partition, value } of rows) {
      const gone = await removals.of(value, at);
      if (!gone) continue;
      batch.add(topic, partition, { timestampMs, key, value: gone, headers: [] });
      batch.add(topic, partition, { timestampMs, key, value: null, headers: [] });
    }
    if (batch.records > 0) yield batch.take();
  }
}

/** The keys that the table has now, as records carry them. */
async function* presentKeys(
  { control, settings, tables, slot }: RepairSource,
  captured: CapturedTable,
): AsyncGenerator<Buffer[]> {
  const names = tables.snapshotColumns(await tables.definition(captured));
  const route = await tables.tableRoute(captured, names);
  const transaction = await snapshotContext({ client: control, settings, tables, slot });
  const tuple = new Tuple();
  const query = selectColumns(captured.name, names);
  for await (const rows of textPages(control, query, settings.limits.snapshotRowsMax)) {
    const keys: Buffer[] = [];
    for (const row of rows) {
      tuple.read(encodeTuple(row), 0);
      const placed = { lsn: 0, transaction, change: { kind: "insert", row: tuple } as const };
      const take = (record: { key: Uint8Array | null }): void => {
        if (!record.key) throw keyless(captured.name);
        keys.push(Buffer.from(record.key));
      };
      await route.snapshot(placed, (_topic, _partition, record) => take(record), "true");
    }
    yield keys;
  }
}

function keyless(table: string): FatalError {
  return new FatalError(
    "table-keyless",
    `${table} has no key, so nobody can tell which of its rows the log has told of already.`,
    "Give it a primary key, leave it out of the capture, or begin a new log.",
  );
}
