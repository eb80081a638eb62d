import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { parseLsn } from "../lsn.ts";

export interface SlotState {
  /** Undefined: the server has invalidated it, and its WAL may be gone. */
  readonly confirmedLsn: number | undefined;
  /** The server process that reads it. */
  readonly activePid: number | undefined;
}

interface SlotRow {
  plugin: string;
  database: string;
  here: string;
  confirmed: string | null;
  wal_status: string | null;
  active_pid: number | null;
  application: string | null;
}

const slotQuery = `
  select s.plugin::text, s.database::text, current_database()::text as here,
    s.confirmed_flush_lsn::text as confirmed, s.wal_status, s.active_pid,
    a.application_name as application
  from pg_replication_slots s left join pg_stat_activity a on a.pid = s.active_pid
  where s.slot_name = $1`;

/** The slot as it is, or undefined where there is none. Refuses one that isn't ours to use. */
export async function readSlot(client: ClientBase, slot: string): Promise<SlotState | undefined> {
  const row = await slotRow(client, slot);
  if (!row) return undefined;
  if (row.plugin !== "pgoutput" || row.database !== row.here) {
    throw new FatalError(
      "slot-foreign",
      `Replication slot ${slot} belongs to database ${row.database} with plugin ${row.plugin}, ` +
        `not to ${row.here} with pgoutput.`,
      "Name another slot, or drop that one.",
    );
  }
  const isLost = row.wal_status === "lost" || row.confirmed === null;
  return {
    confirmedLsn: isLost ? undefined : parseLsn(row.confirmed ?? ""),
    activePid: row.active_pid ?? undefined,
  };
}

/**
 * Waits until no other process reads the slot: the server notices the death of a killed reader only
 * after a while.
 */
export async function untilSlotFree(
  client: ClientBase,
  slot: string,
  wait: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadlineMs = wait.clock.monotonicMs() + wait.timeoutMs;
  while (!wait.signal.aborted) {
    const row = await slotRow(client, slot);
    if (!row?.active_pid) return;
    if (wait.clock.monotonicMs() >= deadlineMs) {
      throw new FatalError(
        "slot-in-use",
        `Replication slot ${slot} is read by another connection (server process ` +
          `${row.active_pid}, application ${row.application ?? "unknown"}), after waiting ` +
          `${wait.timeoutMs} ms for it.`,
        `Stop the other capture, or end its connection: select pg_terminate_backend(${row.active_pid}).`,
      );
    }
    await wait.clock.sleep(50, wait.signal);
  }
}

async function slotRow(client: ClientBase, slot: string): Promise<SlotRow | undefined> {
  const { rows } = await client.query<SlotRow>(slotQuery, [slot]);
  return rows[0];
}
