import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import { formatLsn, parseLsn } from "../lsn.ts";

export interface SlotState {
  readonly confirmedLsn: number;
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
  if (row.wal_status === "lost" || row.confirmed === null) throw slotLost(slot, "is invalidated");
  return { confirmedLsn: parseLsn(row.confirmed) };
}

export function slotLost(slot: string, how: string): FatalError {
  return new FatalError(
    "slot-lost",
    `Replication slot ${slot} ${how}: changes after the last published one may be gone from the WAL.`,
    "Begin a new log: drop the slot and the row of refold.capture_position, make the topics anew " +
      "and start again; the snapshot then publishes the tables as they are and all events.",
  );
}

/** Refuses to go on where the slot no longer has what follows the published position. */
export function checkSlotHolds(slot: string, state: SlotState, publishedLsn: number): void {
  if (state.confirmedLsn <= publishedLsn) return;
  throw new FatalError(
    "slot-advanced",
    `Replication slot ${slot} stands at ${formatLsn(state.confirmedLsn)}, but only what committed ` +
      `before ${formatLsn(publishedLsn)} is published: something else advanced it, and changes ` +
      `between the two are lost to it.`,
    "Find what reads or advances the slot, then begin a new log: drop the slot and the row of " +
      "refold.capture_position, and make the topics anew.",
  );
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
