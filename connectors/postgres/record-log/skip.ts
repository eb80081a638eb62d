import type { ClientBase } from "pg";

import { partitionUnknown, topicUnknown } from "../../../engine/record-log/faults.ts";
import { RecordBatchWriter, RecordCursor } from "../../../engine/record-batch/index.ts";

/** Offsets of one partition that no reader gets any more. */
export interface SkippedRange {
  readonly topic: string;
  readonly partition: number;
  /** The first that is skipped. */
  readonly from: number;
  /** The first after them; equal to `from` where nothing is skipped. */
  readonly to: number;
}

interface PartitionRow {
  readonly topic_number: number;
  readonly partitions: number;
  readonly partition: number | null;
  readonly end_offset: string | null;
}

/** A partition of the log, locked by the caller's transaction. */
export interface LockedPartition {
  readonly topic: string;
  readonly topicNumber: number;
  readonly partition: number;
  readonly end: number;
}

/** Keeps appends out of a partition until the caller's transaction ends. */
export async function lockPartition(
  client: ClientBase,
  topic: string,
  partition: number,
): Promise<LockedPartition> {
  await client.query(
    `select 1 from refold.log_partitions p join refold.log_topics t using (topic_number)
     where t.name = $1 and p.partition = $2 for update of p`,
    [topic, partition],
  );
  // A statement of its own: it sees the end as the appender before us has left it.
  const { rows } = await client.query<PartitionRow>(
    `select t.topic_number, t.partitions, p.partition, p.end_offset::text
     from refold.log_topics t
     left join refold.log_partitions p on p.topic_number = t.topic_number and p.partition = $2
     where t.name = $1`,
    [topic, partition],
  );
  const [row] = rows;
  if (!row) throw topicUnknown(topic, []);
  if (row.partition === null) throw partitionUnknown(topic, partition, row.partitions);
  return { topic, topicNumber: row.topic_number, partition, end: Number(row.end_offset) };
}

/**
 * Makes everything from an offset to the partition's end skipped, in the caller's transaction: the
 * batches are moved aside, and readers pass over the gap of offsets as over any other. So rebuilds,
 * reads from a time and readers that stand within the range skip it alike, and nobody pays for it.
 * What follows is appended behind the range, as if the log went on where it begins.
 */
export async function skipFrom(
  client: ClientBase,
  place: LockedPartition,
  skip: { readonly from: number; readonly reason: string },
): Promise<SkippedRange> {
  const { topic, topicNumber, partition, end } = place;
  const range = { topic, partition, from: Math.min(skip.from, end), to: end };
  if (range.from === end) return range;
  const at = [topicNumber, partition, range.from];
  const { rows } = await client.query<{ id: string }>(
    `insert into refold.log_skipped (topic_number, partition, from_offset, to_offset, reason)
     values ($1, $2, $3, $4, $5) returning id::text`,
    [...at, end, skip.reason],
  );
  const within = "topic_number = $1 and partition = $2 and base_offset + record_count > $3";
  // In order: see retention.
  await client.query(
    `select 1 from refold.log_batches where ${within} order by base_offset for update`,
    at,
  );
  const cut = await client.query<{ base_offset: string; bytes: Buffer }>(
    `select base_offset::text, bytes from refold.log_batches where ${within} and base_offset < $3`,
    at,
  );
  await client.query(
    `with gone as (delete from refold.log_batches where ${within} returning *)
     insert into refold.log_skipped_batches
       (skipped, base_offset, record_count, max_timestamp_ms, written_at, bytes)
     select $4, base_offset, record_count, max_timestamp_ms, written_at, bytes from gone`,
    [...at, rows[0]?.id],
  );
  for (const { base_offset: base, bytes } of cut.rows) {
    await keepHead(client, place, { base: Number(base), bytes, end: range.from });
  }
  await windBack(client, place);
  return range;
}

interface Head {
  readonly base: number;
  readonly bytes: Buffer;
  /** The first offset that is skipped. */
  readonly end: number;
}

/** A batch that the range cuts in two keeps its first records. */
async function keepHead(client: ClientBase, place: LockedPartition, head: Head): Promise<void> {
  const writer = new RecordBatchWriter();
  // What is written anew must be sound: a damaged byte would get a right checksum.
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(head.bytes, head.base);
  while (cursor.next() && cursor.offset < head.end) writer.add(cursor.record());
  const { count, maxTimestampMs } = writer;
  const bytes = writer.finish(head.base);
  await client.query(
    `insert into refold.log_batches (topic_number, partition, base_offset, record_count,
       max_timestamp_ms, running_max_timestamp_ms, byte_length, bytes)
     values ($1, $2, $3, $4, $5, greatest($5, (
       select running_max_timestamp_ms from refold.log_batches
       where topic_number = $1 and partition = $2 and base_offset < $3
       order by base_offset desc limit 1)), $6, $7)`,
    [place.topicNumber, place.partition, head.base, count, maxTimestampMs, bytes.length, bytes],
  );
}

/** The times that appends go on from are those of the last record that is left. */
async function windBack(client: ClientBase, place: LockedPartition): Promise<void> {
  const at = [place.topicNumber, place.partition];
  const { rows } = await client.query<{ running: string; bytes: Buffer }>(
    `select running_max_timestamp_ms::text as running, bytes from refold.log_batches
     where topic_number = $1 and partition = $2 order by base_offset desc limit 1`,
    at,
  );
  const cursor = new RecordCursor();
  if (rows[0]) cursor.reset(rows[0].bytes, 0);
  let last: number | null = null;
  while (cursor.next()) last = cursor.timestampMs;
  await client.query(
    `update refold.log_partitions set max_timestamp_ms = $3, last_timestamp_ms = $4
     where topic_number = $1 and partition = $2`,
    [...at, rows[0]?.running ?? 0, last],
  );
}
