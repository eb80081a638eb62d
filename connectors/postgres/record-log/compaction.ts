import type { Pool, PoolClient } from "pg";

import { invariant } from "../../../engine/errors.ts";
import { RecordBatchWriter, RecordCursor } from "../../../engine/record-batch/index.ts";

export interface CompactionOptions {
  /** How large a batch may become. */
  readonly batchBytesMax: number;
  /** Younger batches are left alone: retention and readers at the end are still at them. */
  readonly ageMinMs: number;
}

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
  readonly max_timestamp_ms: bigint;
  readonly running_max_timestamp_ms: bigint;
  readonly bytes: Buffer;
}

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
export async function compactPartitions(pool: Pool, options: CompactionOptions): Promise<number> {
  const { rows } = await pool.query<Place>(
    `select topic_number, partition from refold.log_compaction
     join refold.log_partitions using (topic_number, partition)
     where end_offset - greatest(compacted_to, start_offset) >= $1
     order by topic_number, partition`,
    [recordsMin],
  );
  let replaced = 0;
  for (const place of rows) replaced += await inTransaction(pool, { place, options });
  return replaced;
}

interface Step {
  readonly place: Place;
  readonly options: CompactionOptions;
}

async function inTransaction(pool: Pool, step: Step): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const replaced = await compactRun(client, step);
    await client.query(replaced === undefined ? "rollback" : "commit");
    client.release();
    return replaced ?? 0;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Undefined: nothing is to be kept of what was done. */
async function compactRun(client: PoolClient, step: Step): Promise<number | undefined> {
  const run = await nextRun(client, step);
  const [first] = run;
  const last = run.at(-1);
  if (!first || !last) return undefined;
  const bytes = run.reduce((sum, batch) => sum + batch.bytes.length, 0);
  // Wait for more: a batch that is united too early would have to be written again.
  if (bytes < step.options.batchBytesMax / 2 && run.length < batchesMax) return undefined;
  const end = last.base_offset + BigInt(last.record_count);
  const small = bytes / run.length < step.options.batchBytesMax / 8;
  const { topic_number: topic, partition } = step.place;
  if (small && !(await replace(client, { topic, partition, run }))) return undefined;
  await client.query(
    `update refold.log_compaction set compacted_to = $3
     where topic_number = $1 and partition = $2`,
    [topic, partition, String(end)],
  );
  return small ? run.length : 0;
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
       select b.base_offset, b.record_count, b.max_timestamp_ms, b.running_max_timestamp_ms, b.bytes,
         sum(b.byte_length) over (order by b.base_offset) as through,
         bool_and(b.written_at < now() - make_interval(secs => $4::float8 / 1000))
           over (order by b.base_offset) as aged
       from begun cross join lateral (
         select * from refold.log_batches
         where topic_number = $1 and partition = $2 and base_offset >= begun.from_offset
         order by base_offset limit $5
       ) b
     )
     select base_offset, record_count, max_timestamp_ms, running_max_timestamp_ms, bytes from next
     where aged and (through <= $3 or base_offset = (select min(base_offset) from next))
     order by base_offset`,
    [place.topic_number, place.partition, options.batchBytesMax, options.ageMinMs, batchesMax],
  );
  return rows;
}

interface Run {
  readonly topic: number;
  readonly partition: number;
  readonly run: readonly BatchRow[];
}

/** False when somebody else has taken one of the batches. */
async function replace(client: PoolClient, { topic, partition, run }: Run): Promise<boolean> {
  const united = unite(run);
  const range = [topic, partition, united.base, united.base + united.count];
  const within = "topic_number = $1 and partition = $2 and base_offset >= $3 and base_offset < $4";
  // In order: see retention.
  const locked = await client.query(
    `select from refold.log_batches where ${within} order by base_offset for update`,
    range,
  );
  if (locked.rowCount !== run.length) return false;
  await client.query(`delete from refold.log_batches where ${within}`, range);
  await client.query(
    `insert into refold.log_batches (topic_number, partition, base_offset, record_count,
       max_timestamp_ms, running_max_timestamp_ms, byte_length, bytes)
     values ($1, $2, $3, $4, $5, $6, octet_length($7::bytea), $7)`,
    [topic, partition, united.base, united.count, united.max, united.runningMax, united.bytes],
  );
  return true;
}

interface United {
  readonly base: number;
  readonly count: number;
  readonly max: number;
  readonly runningMax: number;
  readonly bytes: Buffer;
}

function unite(run: readonly BatchRow[]): United {
  const base = Number(run[0]?.base_offset);
  const writer = new RecordBatchWriter(64 * 1024);
  // What is written anew must be sound: a damaged byte would get a right checksum.
  const cursor = new RecordCursor({ verify: "checksum" });
  for (const { bytes } of run) {
    cursor.reset(bytes, 0);
    while (cursor.next()) {
      invariant(
        cursor.offset === base + writer.count,
        `Uniting batches would move offset ${cursor.offset} to ${base + writer.count}.`,
      );
      writer.add(cursor.record());
    }
  }
  const { count, maxTimestampMs: max } = writer;
  const runningMax = Number(run.at(-1)?.running_max_timestamp_ms);
  return { base, count, max, runningMax, bytes: writer.finish(base) };
}
