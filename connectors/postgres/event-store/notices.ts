import type { Pool, PoolClient } from "pg";

import type { NewEvent } from "../../../engine/ports/event-store.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { laneColumns, lanesOf, outboxColumnsOf } from "./append-call.ts";

/** Lanes' topics and partitions, then of each notice: lane, id, type, key, value, envelope. */
const types = "text integer integer text text text bytea text text text".split(" ");

/** The call that writes notices, its parameters beginning with number `first`. */
export const noticesCall = (first: number): string =>
  `refold.insert_notices(${types.map((type, at) => `$${first + at}::${type}[]`).join(", ")})`;

/** The parameters of `noticesCall`. */
export function noticeParameters(notices: readonly NewEvent[]): unknown[] {
  const lanes = lanesOf(notices);
  const [identity, envelope] = outboxColumnsOf(notices);
  return [
    textArray(lanes.map((lane) => lane.topic)),
    int4Array(lanes.map((lane) => lane.partition)),
    ...laneColumns(notices, lanes),
    ...identity,
    ...envelope,
  ];
}

/**
 * Writes notices to their outbox inside the caller's transaction, after its other locks: it takes
 * the rows of the lanes, sorted. Tags don't count.
 */
export async function insertNotices(
  client: PoolClient,
  notices: readonly NewEvent[],
): Promise<void> {
  if (notices.length === 0) return;
  await client.query({
    name: "refold.insert_notices",
    text: `select ${noticesCall(1)}`,
    values: noticeParameters(notices),
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
