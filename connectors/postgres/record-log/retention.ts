import type { Pool } from "pg";

import type { Offset } from "../../../engine/position.ts";

/** Rows are locked in order, as the uniting of batches does: neither waits for the other in a ring. */
const deletedBefore = `
     gone as materialized (
       select b.topic_number, b.partition, b.base_offset
       from refold.log_batches b join moved m using (topic_number, partition)
       where b.base_offset < m.start_offset and b.base_offset + b.record_count <= m.start_offset
       order by b.topic_number, b.partition, b.base_offset
       for update of b
     ), deleted as (
       delete from refold.log_batches b using gone g
       where b.topic_number = g.topic_number and b.partition = g.partition
         and b.base_offset = g.base_offset
       returning 1
     )`;

/** Moves starts forward, never beyond an end or back, and frees batches that lie wholly before. */
export async function deleteBefore(
  pool: Pool,
  topicNumber: number,
  before: ReadonlyMap<number, Offset>,
): Promise<number> {
  const { rows } = await pool.query<{ deleted: number }>(
    `with moved as (
       update refold.log_partitions p
       set start_offset = least(p.end_offset, greatest(p.start_offset, w.offset_wanted))
       from unnest($2::int[], $3::int8[]) w(partition, offset_wanted)
       where p.topic_number = $1 and p.partition = w.partition
       returning p.topic_number, p.partition, p.start_offset
     ), ${deletedBefore}
     select count(*)::int as deleted from deleted`,
    [topicNumber, [...before.keys()], [...before.values()].map(String)],
  );
  return rows[0]?.deleted ?? 0;
}

/**
 * Takes what is older than its topic's retention: from the start of each partition, whole batches
 * whose largest timestamp lies before `nowMs - retentionMs`, up to the first that doesn't.
 *
 * @returns How many batches were freed; as many as `batchesMax` means that there may be more.
 */
export async function sweepExpired(pool: Pool, nowMs: number, batchesMax: number): Promise<number> {
  const { rows } = await pool.query<{ deleted: number }>(
    `with expired as (
       select b.topic_number, b.partition, max(b.base_offset + b.record_count) as new_start
       from refold.log_topics t
       join refold.log_partitions p using (topic_number)
       cross join lateral (
         select topic_number, partition, base_offset, record_count, bool_and(
           max_timestamp_ms < $1::int8 - t.retention_ms) over (order by base_offset) as all_expired
         from refold.log_batches
         where topic_number = p.topic_number and partition = p.partition
         order by base_offset limit $2
       ) b
       where t.retention_ms is not null and b.all_expired
       group by b.topic_number, b.partition
     ), moved as (
       update refold.log_partitions p set start_offset = greatest(p.start_offset, e.new_start)
       from expired e
       where p.topic_number = e.topic_number and p.partition = e.partition
       returning p.topic_number, p.partition, p.start_offset
     ), ${deletedBefore}
     select count(*)::int as deleted from deleted`,
    [nowMs, batchesMax],
  );
  return rows[0]?.deleted ?? 0;
}
