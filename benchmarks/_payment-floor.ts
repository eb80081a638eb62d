import type { Pool } from "pg";

import { costOf, type Cost } from "./_cost.ts";

/**
 * What a payment leaves for ever, as a round has left it: events with their tags, effects with their
 * answers. Read models, the log, deadlines and the sandbox's books come on top.
 */
const tables = {
  events: "position > $1",
  event_tags: "position > $1",
  effects: "requested_at >= $2",
  done_effects: "ended_at >= $2",
} as const;

/** From when on what is recorded belongs to a round. */
export interface Since {
  readonly position: bigint;
  readonly at: Date;
}

export async function sinceNow(pool: Pool): Promise<Since> {
  const { rows } = await pool.query<Since>(
    "select coalesce(max(position), 0) as position, clock_timestamp() as at from refold.events",
  );
  return rows[0] as Since;
}

/**
 * Copies a round's rows, one plain statement a table, into empty tables with the same indexes: less
 * than this no way of writing them costs on this server. @param pid Of the postmaster.
 */
export async function floorOf(
  { pool, pid }: { readonly pool: Pool; readonly pid: number },
  { position, at }: Since,
): Promise<Cost> {
  await pool.query("create schema floor");
  for (const table of Object.keys(tables)) {
    await pool.query(`create table floor.${table} (like refold.${table} including all)`);
  }
  return costOf(pid, async () => {
    for (const [table, where] of Object.entries(tables)) {
      const value = where.includes("$1") ? position : at;
      await pool.query(
        `insert into floor.${table} select * from refold.${table} where ${where.replace("$2", "$1")}`,
        [value],
      );
    }
  });
}
