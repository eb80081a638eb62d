import type { Client } from "pg";

import type { PartitionAppend, RecordLog } from "../../../engine/ports/record-log.ts";
import type { CaptureSettings } from "../options.ts";
import type { ReplicationConnection } from "../replication-connection.ts";
import { readSlot } from "../server/slot.ts";
import { CapturedTables } from "../tables/captured-tables.ts";
import { repairParts, type RepairCounts } from "./repair-parts.ts";
import { ToldRows } from "./told-rows.ts";

export interface NewSlotOptions {
  readonly settings: CaptureSettings;
  /** Open. */
  readonly control: Client;
  /** Not yet open; whoever opens it closes it. */
  readonly replication: ReplicationConnection;
  readonly log: RecordLog;
  readonly tables: CapturedTables;
}

/** A slot that was just made, and what the log lacks of what came before it. */
export interface NewSlot {
  /** The slot's stream has what commits from here on. */
  readonly consistentLsn: number;
  /** Counted as the parts are read. */
  readonly counts: RepairCounts;
  /** To be read once, to the end, while the replication connection is left alone. */
  readonly parts: AsyncIterable<readonly PartitionAppend[]>;
}

/** Makes the capture's slot, in place of one that is there and that nobody reads. */
export async function makeNewSlot(options: NewSlotOptions): Promise<NewSlot> {
  const { settings, control, replication } = options;
  await replication.open();
  if (await readSlot(control, settings.slot)) await replication.dropSlot(settings.slot);
  const told = await ToldRows.prepare(control);
  const slot = await replication.createSlot(settings.slot);
  const counts = { events: 0, rows: 0, removed: 0 };
  const parts = repairParts({ ...options, told, slot, counts });
  return { consistentLsn: slot.consistentLsn, counts, parts };
}

/** The captured tables, found to be such as can be captured. @throws FatalError `table-unsupported` */
export async function checkedTables({
  settings,
  control,
}: Pick<NewSlotOptions, "settings" | "control">): Promise<CapturedTables> {
  const { rows } = await control.query<{ name: string }>("select current_database()::text as name");
  const tables = new CapturedTables(settings, control, rows[0]?.name ?? "");
  await tables.check();
  return tables;
}
