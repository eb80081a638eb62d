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
    let at: RecordFound = { reached: false, offset: Number(start) };
    while (!at.reached && at.offset < end) {
      const values = [topicNumber, partition, at.offset, time];
      const { rows } = await pool.query<{ bytes: Buffer }>({ ...batchAt, values });
      const [row] = rows;
      if (!row) break;
      at = firstFrom(cursor, row.bytes, { start: at.offset, time });
    }
    found.set(partition, at.reached ? offset(at.offset) : end);
  }
  return found;
}

const batchAt = {
  name: "refold-log-batch-at",
  text: "select refold.log_batch_at($1, $2, $3, $4) as bytes",
};

interface RecordFound {
  readonly reached: boolean;
  /** Of the record; else where to look on. */
  readonly offset: number;
}

/** Retention may have taken just the record for which the batch was chosen. */
function firstFrom(
  cursor: RecordCursor,
  bytes: Buffer,
  { start, time }: { readonly start: number; readonly time: number },
): RecordFound {
  cursor.reset(bytes, start);
  let after = start;
  while (cursor.next()) {
    if (cursor.timestampMs >= time) return { reached: true, offset: cursor.offset };
    after = cursor.offset + 1;
  }
  return { reached: false, offset: after };
}
