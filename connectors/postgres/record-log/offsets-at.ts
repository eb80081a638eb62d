import type { Pool } from "pg";

import type { PartitionBounds } from "../../../engine/ports/record-log.ts";
import { offset, type Offset } from "../../../engine/position.ts";
import { RecordCursor } from "../../../engine/record-batch/index.ts";

export interface TimeQuestion {
  readonly topicNumber: number;
  readonly bounds: readonly PartitionBounds[];
  readonly timestampMs: number;
}

/** Finds each partition's batch in the database, and the record within it here. */
export async function offsetsAt(
  pool: Pool,
  { topicNumber, bounds, timestampMs }: TimeQuestion,
): Promise<ReadonlyMap<number, Offset>> {
  const time = Math.max(0, Math.ceil(timestampMs));
  const found = new Map<number, Offset>();
  const cursor = new RecordCursor();
  // One partition's batch at a time: together they could be more than memory should hold.
  for (const { partition, start, end } of bounds) {
    const { rows } = await pool.query<{ bytes: Buffer }>({
      name: "refold-log-batch-at",
      text: "select refold.log_batch_at($1, $2, $3) as bytes",
      values: [topicNumber, partition, time],
    });
    const [row] = rows;
    found.set(partition, offset(row ? firstAt(cursor, row.bytes, { start, time }) : end));
  }
  return found;
}

/** The batch was chosen because it has such a record; only retention can have taken it. */
function firstAt(
  cursor: RecordCursor,
  bytes: Buffer,
  { start, time }: { readonly start: bigint; readonly time: number },
): number {
  cursor.reset(bytes, start);
  let after = Number(start);
  while (cursor.next()) {
    if (cursor.timestampMs >= time) return cursor.offset;
    after = cursor.offset + 1;
  }
  return after;
}
