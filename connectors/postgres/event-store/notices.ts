import type { Pool, PoolClient } from "pg";

import type { NewEvent } from "../../../engine/ports/event-store.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { laneColumns, lanesOf, outboxColumnsOf } from "./append-call.ts";

const sql = `select refold.insert_notices($1::text[], $2::integer[], $3::integer[], $4::text[],
  $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[], $10::text[])`;

/**
 * Writes notices to their outbox inside the caller's transaction, after its other locks: it takes
 * the rows of the lanes, sorted. Tags don't count.
 */
export async function insertNotices(
  client: PoolClient,
  notices: readonly NewEvent[],
): Promise<void> {
  if (notices.length === 0) return;
  const lanes = lanesOf(notices);
  const [identity, envelope] = outboxColumnsOf(notices);
  await client.query({
    name: "refold.insert_notices",
    text: sql,
    values: [
      textArray(lanes.map((lane) => lane.topic)),
      int4Array(lanes.map((lane) => lane.partition)),
      ...laneColumns(notices, lanes),
      ...identity,
      ...envelope,
    ],
  });
}

/** Deletes the notices of a topic that were recorded before a time, at most `limit` of them. */
export async function deleteNotices(
  pool: Pool,
  before: { readonly topic: string; readonly recordedBeforeMs: number; readonly limit: number },
): Promise<number> {
  const deleted = await pool.query(
    `delete from refold.notices where position in (
       select position from refold.notices
       where topic = $1 and recorded_at < timestamp 'epoch' + $2::bigint * interval '1 millisecond'
       order by recorded_at limit $3)`,
    [before.topic, Math.floor(before.recordedBeforeMs), before.limit],
  );
  return deleted.rowCount ?? 0;
}
