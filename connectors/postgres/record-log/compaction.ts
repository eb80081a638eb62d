import type { Pool, PoolClient } from "pg";

import { invariant } from "../../../engine/errors.ts";
import { RecordBatchWriter, RecordCursor } from "../../../engine/record-batch/index.ts";

export interface CompactionOptions {
  /** How large a batch may become. */
  readonly batchBytesMax: number;
  /** Younger batches are left alone: retention and readers at the end are still at them. */
  readonly ageMinMs: number;
  /** Each round makes at most one larger batch in each partition. */
  readonly roundsMax: number;
}

export const defaultCompaction = { ageMinMs: 10_000, roundsMax: 200 };

/** Batches that one step replaces at most. */
const batchesMax = 2_000;
/** Fewer new records than this are not worth a look. */
const recordsMin = 64;

interface Place {
  readonly topic_number: number;
  readonly partition: number;
}

interface BatchRow {
  readonly base_offset: bigint;
  readonly record_count: number;
  readonly running_max_timestamp_ms: bigint;
  readonly byte_length: number;
  /** The batch after the run doesn't fit in. */
  readonly full: boolean;
}

/** What a step, or a round of steps, has done. */
interface Progress {
  readonly replaced: number;
  /** More was looked at, and need not be looked at again. */
  readonly advanced: boolean;
}

const nothing: Progress = { replaced: 0, advanced: false };

/**
 * Live traffic leaves batches of few records, which are slow to read again and take more room. A
 * step takes the next run of them in a partition and puts one batch in their place, with the same
 * records under the same offsets, in one transaction: a fetch is one statement, and so sees either
 * the run or the batch; a reader in the middle of the run begins with the batch that holds its
 * position, and its cursor passes over what it has. Each record is written anew at most once.
 *
 * Appends are not held up: they add rows, and lock only the partition. Of several processes that
 * do this one gets the partition, the others pass it by; should retention take a batch of the run
 * meanwhile, the step is given up.
 */
export async function compact(pool: Pool, options: CompactionOptions): Promise<number> {
  let replaced = 0;
  for (let round = 0; round < options.roundsMax; round += 1) {
    const progress = await compactPartitions(pool, options);
    replaced += progress.replaced;
    if (!progress.advanced) break;
  }
  return replaced;
}

async function compactPartitions(pool: Pool, options: CompactionOptions): Promise<Progress> {
  const { rows } = await pool.query<Place>(
    `select topic_number, partition from refold.log_compaction
     join refold.log_partitions using (topic_number, partition)
     where end_offset - greatest(compacted_to, start_offset) >= $1
     order by topic_number, partition`,
    [recordsMin],
  );
  let replaced = 0;
  let advanced = false;
  for (const place of rows) {
    const progress = await inTransaction(pool, { place, options });
    replaced += progress.replaced;
    advanced ||= progress.advanced;
  }
  return { replaced, advanced };
}

interface Step {
  readonly place: Place;
  readonly options: CompactionOptions;
}

async function inTransaction(pool: Pool, step: Step): Promise<Progress> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const progress = await compactRun(client, step);
    await client.query(progress.advanced ? "commit" : "rollback");
    client.release();
    return progress;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function compactRun(client: PoolClient, step: Step): Promise<Progress> {
  const run = await nextRun(client, step);
  const last = run.at(-1);
  if (!last) return nothing;
  const bytes = run.reduce((sum, batch) => sum + batch.byte_length, 0);
  // Wait for more: a batch that is united too early would have to be written again.
  const full = last.full || run.length === batchesMax;
  if (!full && bytes < step.options.batchBytesMax / 2) return nothing;
  const { topic_number: topic, partition } = step.place;
  const small = run.length > 1 && bytes / run.length < step.options.batchBytesMax / 8;
  if (small && !(await replace(client, { topic, partition, run }))) return nothing;
  await client.query(
    `update refold.log_compaction set compacted_to = $3
     where topic_number = $1 and partition = $2`,
    [topic, partition, String(last.base_offset + BigInt(last.record_count))],
  );
  return { replaced: small ? run.length : 0, advanced: true };
}

/** Batches from where the last step ended that together are no larger than one may be. */
async function nextRun(client: PoolClient, { place, options }: Step): Promise<BatchRow[]> {
  const { rows } = await client.query<BatchRow>(
    `with begun as materialized (
       select greatest(c.compacted_to, p.start_offset) as from_offset
       from refold.log_compaction c join refold.log_partitions p using (topic_number, partition)
       where c.topic_number = $1 and c.partition = $2
       for update of c skip locked
     ), next as (
       select b.base_offset, b.record_count, b.running_max_timestamp_ms, b.byte_length,
         sum(b.byte_length) over (order by b.base_offset) as through,
         bool_and(b.written_at < now() - make_interval(secs => $4::float8 / 1000))
           over (order by b.base_offset) as aged
       from begun cross join lateral (
         select base_offset, record_count, running_max_timestamp_ms, byte_length, written_at
         from refold.log_batches
         where topic_number = $1 and partition = $2 and base_offset >= begun.from_offset
         order by base_offset limit $5
       ) b
     )
     select base_offset, record_count, running_max_timestamp_ms, byte_length,
       (select max(through) > $3 from next) as full
     from next
     where aged and (through <= $3 or base_offset = (select min(base_offset) from next))
     order by base_offset`,
    [place.topic_number, place.partition, options.batchBytesMax, options.ageMinMs, batchesMax],
  );
  return untilGap(rows);
}

/** Batches on both sides of skipped offsets can't be one: offsets within a batch have no gaps. */
function untilGap(run: BatchRow[]): BatchRow[] {
  const gap = run.findIndex((batch, at) => {
    const before = run[at - 1];
    return before && before.base_offset + BigInt(before.record_count) !== batch.base_offset;
  });
  if (gap < 0) return run;
  return run.slice(0, gap).map((batch) => ({ ...batch, full: true }));
}

interface Run {
  readonly topic: number;
  readonly partition: number;
  readonly run: readonly BatchRow[];
}

/** False when somebody else has taken one of the batches. */
async function replace(client: PoolClient, { topic, partition, run }: Run): Promise<boolean> {
  const base = Number(run[0]?.base_offset);
  const end = run.reduce((sum, batch) => sum + batch.record_count, base);
  const range = [topic, partition, base, end];
  const within = "topic_number = $1 and partition = $2 and base_offset >= $3 and base_offset < $4";
  // In order: see retention.
  const { rows } = await client.query<{ bytes: Buffer }>(
    `select bytes from refold.log_batches where ${within} order by base_offset for update`,
    range,
  );
  if (rows.length !== run.length) return false;
  const united = unite(rows, base);
  invariant(united.count === end - base, `Uniting batches from ${base} on would lose records.`);
  await client.query(`delete from refold.log_batches where ${within}`, range);
  const runningMax = String(run.at(-1)?.running_max_timestamp_ms);
  await client.query(
    `insert into refold.log_batches (topic_number, partition, base_offset, record_count,
       max_timestamp_ms, running_max_timestamp_ms, byte_length, bytes)
     values ($1, $2, $3, $4, $5, $6, octet_length($7::bytea), $7)`,
    [topic, partition, base, united.count, united.maxTimestampMs, runningMax, united.bytes],
  );
  return true;
}

interface United {
  readonly count: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

function unite(batches: readonly { readonly bytes: Buffer }[], base: number): United {
  const writer = new RecordBatchWriter(64 * 1024);
  // What is written anew must be sound: a damaged byte would get a right checksum.
  const cursor = new RecordCursor({ verify: "checksum" });
  for (const { bytes } of batches) {
    cursor.reset(bytes, 0);
    while (cursor.next()) {
      invariant(
        cursor.offset === base + writer.count,
        `Uniting batches would move offset ${cursor.offset} to ${base + writer.count}.`,
      );
      writer.add(cursor.record());
    }
  }
  const { count, maxTimestampMs } = writer;
  return { count, maxTimestampMs, bytes: writer.finish(base) };
}
