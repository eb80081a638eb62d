import type { Pool, PoolClient } from "pg";

import { offset } from "../../../engine/position.ts";
import type { FetchedPartition, PartitionBounds } from "../../../engine/ports/record-log.ts";
import { CopyOut } from "./copy-out.ts";

/** What a reader wants next. */
export interface Reading {
  readonly topicNumber: number;
  /** Next offset wanted, by partition. */
  readonly next: ReadonlyMap<number, number>;
  /** Of each partition, of which one batch may be more. */
  readonly bytesMax: number;
}

export interface FetchRequest extends Reading {
  /** Of each partition. */
  readonly batchesMax: number;
}

export interface FetchAnswer {
  readonly fetched: readonly FetchedPartition[];
  /** Of every partition asked for, as the same snapshot has them. */
  readonly bounds: readonly PartitionBounds[];
  readonly batches: number;
  readonly bytes: number;
}

/** One statement, and so one snapshot, for all partitions. */
export async function fetchBatches(pool: Pool, request: FetchRequest): Promise<FetchAnswer> {
  const gathering = new Gathering();
  const copy = new CopyOut(copyStatement(request), (bytes, at) => gathering.row(bytes, at));
  const client = await pool.connect();
  try {
    await run(client, copy);
  } catch (error) {
    client.release(true);
    throw error;
  }
  client.release();
  return withoutGaps(gathering.answer(), request.next);
}

/**
 * Nothing stands between a partition's position and its end: offsets that are skipped, or batches
 * that somebody has deleted. Readers go on behind them; what is missing shows in the sequences.
 */
function withoutGaps(answer: FetchAnswer, next: ReadonlyMap<number, number>): FetchAnswer {
  const brought = new Set(answer.fetched.map(({ partition }) => partition));
  const gaps = answer.bounds.filter(
    ({ partition, start, end }) =>
      !brought.has(partition) &&
      start <= (next.get(partition) ?? 0) &&
      end > (next.get(partition) ?? 0),
  );
  if (gaps.length === 0) return answer;
  const passed = gaps.map(({ partition, end }) => ({ partition, bytes: noBytes, nextOffset: end }));
  return { ...answer, fetched: [...answer.fetched, ...passed] };
}

const noBytes = Buffer.alloc(0);

/** A connection that breaks ends the query with an error; the client's own event says it too. */
async function run(client: PoolClient, copy: CopyOut): Promise<void> {
  const ignore = (): void => undefined;
  client.on("error", ignore);
  try {
    client.query(copy);
    await copy.done;
  } finally {
    client.off("error", ignore);
  }
}

/**
 * COPY takes no parameters: what stands in the text are numbers of ours. A position may lie within
 * a batch (a consumer's own, or because batches were united), so reading begins with the batch that
 * holds it. The running sum stops at the byte limit without touching the bytes of later batches.
 *
 * The plan is pinned to the primary key's order, for this statement's implicit transaction: while a
 * table grows faster than its statistics, the planner would rather read and sort whole partitions.
 */
function copyStatement({ topicNumber, next, bytesMax, batchesMax }: FetchRequest): string {
  const wanted = [...next].map(([partition, from]) => `(${int(partition)}, ${int(from)}::int8)`);
  const topic = int(topicNumber);
  return `set local enable_seqscan = off; set local enable_bitmapscan = off; copy (
    select p.partition, p.start_offset, p.end_offset, p.last_timestamp_ms,
      b.base_offset + b.record_count, b.bytes
    from (values ${wanted.join(", ")}) w(partition, from_offset)
    join refold.log_partitions p on p.topic_number = ${topic} and p.partition = w.partition
    left join lateral (
      select base_offset, record_count, bytes, sum(byte_length) over (order by base_offset rows
        unbounded preceding) - byte_length as before
      from refold.log_batches
      where topic_number = ${topic} and partition = w.partition
        and base_offset >= coalesce((
          select base_offset from refold.log_batches
          where topic_number = ${topic} and partition = w.partition
            and base_offset <= w.from_offset
          order by base_offset desc limit 1), w.from_offset)
        and base_offset + record_count > w.from_offset
      order by base_offset limit ${int(batchesMax)}
    ) b on b.before < ${int(bytesMax)}
    order by p.partition, b.base_offset
  ) to stdout (format binary)`;
}

function int(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number.`);
  return String(value);
}

/** Puts the rows' bytes together, by partition; rows come in order of partition and offset. */
class Gathering {
  readonly #bounds: PartitionBounds[] = [];
  readonly #fetched: FetchedPartition[] = [];
  #partition = -1;
  #nextOffset = 0n;
  #buffer = Buffer.allocUnsafe(0);
  #size = 0;
  #batches = 0;
  #bytes = 0;

  row(bytes: Buffer, start: number): void {
    const partition = bytes.readInt32BE(start + 4);
    let at = start + 8;
    if (partition !== this.#partition) at = this.#begin(partition, bytes, at);
    else at += 24 + fieldBytes(bytes, at + 24);
    // No batch: the partition has nothing from the offset on.
    if (bytes.readInt32BE(at) < 0) return;
    this.#nextOffset = bytes.readBigInt64BE(at + 4);
    const length = bytes.readInt32BE(at + 12);
    this.#reserve(length);
    bytes.copy(this.#buffer, this.#size, at + 16, at + 16 + length);
    this.#size += length;
    this.#batches += 1;
    this.#bytes += length;
  }

  answer(): FetchAnswer {
    this.#close();
    return {
      fetched: this.#fetched,
      bounds: this.#bounds,
      batches: this.#batches,
      bytes: this.#bytes,
    };
  }

  /** Takes in a partition's bounds, the fields at `at`; gives where the batch's fields begin. */
  #begin(partition: number, bytes: Buffer, at: number): number {
    this.#close();
    this.#partition = partition;
    const hasLast = bytes.readInt32BE(at + 24) >= 0;
    this.#bounds.push({
      partition,
      start: offset(bytes.readBigInt64BE(at + 4)),
      end: offset(bytes.readBigInt64BE(at + 16)),
      ...(hasLast ? { lastTimestampMs: Number(bytes.readBigInt64BE(at + 28)) } : {}),
    });
    return at + 24 + fieldBytes(bytes, at + 24);
  }

  #close(): void {
    if (this.#size > 0) {
      const { partition, nextOffset } = {
        partition: this.#partition,
        nextOffset: this.#nextOffset,
      };
      const bytes = this.#buffer.subarray(0, this.#size);
      this.#fetched.push({ partition, bytes, nextOffset: offset(nextOffset) });
    }
    this.#buffer = Buffer.allocUnsafe(0);
    this.#size = 0;
  }

  #reserve(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#size);
    this.#buffer = larger;
  }
}

/** Bytes that a nullable field takes, its length included. */
function fieldBytes(bytes: Buffer, at: number): number {
  return 4 + Math.max(0, bytes.readInt32BE(at));
}
