import type { Pool } from "pg";

import { offset } from "../../../engine/position.ts";
import { int4Array, int8ArrayOfNumbers } from "../binary-array.ts";
import type { TailBatch, TailFound } from "./tail.ts";

/** A partition whose end is looked at. */
export interface KnownEnd {
  readonly topicNumber: number;
  readonly partition: number;
  /** Undefined: only its bounds are asked for. */
  readonly end: number | undefined;
}

/** More than this of a partition is no tail: readers fetch it. */
const batchesMax = 64;
const bytesMax = 256 * 1_024;

/**
 * One statement with a plan that is kept, by the primary keys: what has changed of many partitions
 * since their ends were known. Readers that are far behind take `COPY` instead, whose rows come in
 * binary.
 */
export const tailFunction = `
create function refold.log_tail(
  of_topics int[], of_partitions int[], ends bigint[], batches_max int, bytes_max int
) returns table (topic_number int, partition int, start_offset bigint, end_offset bigint,
  last_timestamp_ms bigint, base_offset bigint, record_count int, bytes bytea)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query
  select of_topics[i], of_partitions[i], p.start_offset, p.end_offset, p.last_timestamp_ms,
    b.base_offset, b.record_count, b.bytes
  from generate_subscripts(of_topics, 1) i
  left join refold.log_partitions p
    on p.topic_number = of_topics[i] and p.partition = of_partitions[i]
  left join lateral (
    select l.base_offset, l.record_count, l.bytes, sum(l.byte_length) over (
      order by l.base_offset rows unbounded preceding) - l.byte_length as before
    from refold.log_batches l
    where l.topic_number = of_topics[i] and l.partition = of_partitions[i]
      and l.base_offset >= ends[i]
    order by l.base_offset limit batches_max
  ) b on b.before < bytes_max
  where p.end_offset is null or p.end_offset is distinct from ends[i]
  order by i, b.base_offset;
end $$;
`;

interface TailRow {
  readonly topic_number: number;
  readonly partition: number;
  readonly start_offset: bigint | null;
  readonly end_offset: bigint | null;
  readonly last_timestamp_ms: bigint | null;
  readonly base_offset: bigint | null;
  readonly record_count: number | null;
  readonly bytes: Buffer | null;
}

/** What isn't as it was known to be: what has new batches, and all that is gone. */
export async function readTail(pool: Pool, known: readonly KnownEnd[]): Promise<TailFound[]> {
  const { rows } = await pool.query<TailRow>({
    name: "refold-log-tail",
    text: "select * from refold.log_tail($1::int4[], $2::int4[], $3::int8[], $4, $5)",
    values: [
      int4Array(known.map(({ topicNumber }) => topicNumber)),
      int4Array(known.map(({ partition }) => partition)),
      int8ArrayOfNumbers(known.map(({ end }) => end)),
      batchesMax,
      bytesMax,
    ],
  });
  const partitions = Map.groupBy(rows, (row) => `${row.topic_number}/${row.partition}`);
  return [...partitions.values()].map(foundIn);
}

function foundIn(rows: readonly TailRow[]): TailFound {
  const {
    topic_number: topicNumber,
    partition,
    start_offset,
    end_offset,
    last_timestamp_ms,
  } = rows[0] as TailRow;
  const bounds =
    start_offset === null || end_offset === null
      ? undefined
      : {
          partition,
          start: offset(start_offset),
          end: offset(end_offset),
          ...(last_timestamp_ms === null ? {} : { lastTimestampMs: Number(last_timestamp_ms) }),
        };
  return { topicNumber, partition, bounds, batches: rows.flatMap(batchIn) };
}

function batchIn({ base_offset, record_count, bytes }: TailRow): TailBatch[] {
  if (base_offset === null || record_count === null || bytes === null) return [];
  const baseOffset = Number(base_offset);
  return [{ baseOffset, nextOffset: baseOffset + record_count, bytes }];
}
