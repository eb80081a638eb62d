import type { Pool } from "pg";

import type { Clock } from "../../engine/ports/clock.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { DiskRoom } from "../../stack/data-folder/disk-room.ts";
import { keepHouse } from "./housekeeping.ts";

interface Telling {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

const everyMs = 5_000;

export interface SlotsTold extends Telling {
  readonly pool: Pick<Pool, "query">;
  /** Names of the slots that feed the log. */
  readonly slots: readonly string[];
}

/** Tells how the replication slots stand, whoever reads them: this code, or a connector. */
export function tellSlots(options: SlotsTold): AsyncDisposable {
  const run = () => lookAtSlots(options);
  return keepHouse({ ...options, everyMs, chores: [{ name: "Telling of slots", run }] });
}

interface SlotRow {
  readonly slot: string;
  readonly active: boolean;
  readonly lost: boolean;
  readonly retained: string | null;
}

/** A slot that isn't there reads nothing, and has lost what it had. */
async function lookAtSlots({ pool, slots, metrics }: SlotsTold): Promise<void> {
  const { rows } = await pool.query<SlotRow>(
    `select slot_name as slot, active, wal_status is not distinct from 'lost' as lost,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text as retained
     from pg_replication_slots where slot_name = any($1) and database = current_database()`,
    [slots],
  );
  for (const slot of slots) {
    const row = rows.find((one) => one.slot === slot);
    metrics.gauge("slot_active", row?.active === true ? 1 : 0, { slot });
    metrics.gauge("slot_lost", row === undefined || row.lost ? 1 : 0, { slot });
    metrics.gauge("slot_retained_bytes", Math.max(0, Number(row?.retained ?? 0)), { slot });
  }
}

/** Tells how much room the data folder's disk has. */
export function tellDisk({
  room,
  ...options
}: Telling & { readonly room: Pick<DiskRoom, "freeBytes" | "full"> }) {
  const run = (): Promise<void> => {
    options.metrics.gauge("disk_free_bytes", room.freeBytes, { disk: "data-folder" });
    options.metrics.gauge("disk_full", room.full ? 1 : 0, { disk: "data-folder" });
    return Promise.resolve();
  };
  return keepHouse({ ...options, everyMs, chores: [{ name: "Telling of the disk", run }] });
}
