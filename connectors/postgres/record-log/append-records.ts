import type { ClientBase, Pool } from "pg";

import { offset } from "../../../engine/position.ts";
import type { AppendedRange, PartitionAppend } from "../../../engine/ports/record-log.ts";
import { RecordBatchWriter } from "../../../engine/record-batch/index.ts";
import {
  type BatchLimits,
  defaultBatchLimits,
  type EncodedBatch,
  encodeBatches,
} from "../../../engine/record-log/batches.ts";
import { byteaArray, int4Array, int8ArrayOfNumbers, textArray } from "../binary-array.ts";
import { logError } from "./database-errors.ts";

/** The channel on which readers listen; the payload says nothing. */
export const logChannel = "refold_log";

const call = `refold.log_append($1::text[], $2::int4[], $3::int4[], $4::int8[], $5::int8[], $6::bytea[])`;

interface Placed extends EncodedBatch {
  /** Index of the append that it belongs to. */
  readonly append: number;
}

/**
 * Appends records inside the caller's transaction, which must be READ COMMITTED: one round trip
 * however many partitions. Their rows stay locked until the transaction ends, so it should end
 * soon; to wake readers it runs `select pg_notify('refold_log', '')` too.
 *
 * @throws FatalError `topic-unknown`, `partition-unknown`; TransientError. The transaction is lost
 * then.
 */
export async function appendRecords(
  client: ClientBase,
  appends: readonly PartitionAppend[],
  limits: BatchLimits = defaultBatchLimits,
): Promise<AppendedRange[]> {
  return append(client, appends, { limits, text: `select ${call} as base_offsets` });
}

/** The same in a transaction of its own, readers woken at its commit. */
export async function appendAndNotify(
  pool: Pool,
  appends: readonly PartitionAppend[],
  limits: BatchLimits,
): Promise<AppendedRange[]> {
  const text = `select ${call} as base_offsets, pg_notify('${logChannel}', '')`;
  return append(pool, appends, { limits, text });
}

async function append(
  target: ClientBase | Pool,
  appends: readonly PartitionAppend[],
  how: { readonly limits: BatchLimits; readonly text: string },
): Promise<AppendedRange[]> {
  if (appends.length === 0) return [];
  const batches = encodeAll(appends, how.limits);
  try {
    const values = parameters(appends, batches);
    const { rows } = await target.query<{ base_offsets: string[] }>(how.text, values);
    return ranges(appends, batches, rows[0]?.base_offsets ?? []);
  } catch (error) {
    throw logError(error, "Appending records");
  }
}

/**
 * The six parameters of `refold.log_append`, for callers whose own function calls it: topics
 * (text[]), partitions and counts (int4[]), largest and last timestamps (int8[]), batches (bytea[]).
 */
export function appendParameters(
  appends: readonly PartitionAppend[],
  limits: BatchLimits = defaultBatchLimits,
): Buffer[] {
  return parameters(appends, encodeAll(appends, limits));
}

function parameters(appends: readonly PartitionAppend[], batches: readonly Placed[]): Buffer[] {
  const at = (batch: Placed): PartitionAppend => appends[batch.append] as PartitionAppend;
  return [
    textArray(batches.map((batch) => at(batch).topic)),
    int4Array(batches.map((batch) => at(batch).partition)),
    int4Array(batches.map((batch) => batch.count)),
    int8ArrayOfNumbers(batches.map((batch) => batch.maxTimestampMs)),
    int8ArrayOfNumbers(batches.map((batch) => batch.lastTimestampMs)),
    byteaArray(batches.map((batch) => batch.bytes)),
  ];
}

const nothing = Buffer.alloc(0);

/** An append without records stands there too, with a count of 0: its answer is the end. */
function encodeAll(appends: readonly PartitionAppend[], limits: BatchLimits): Placed[] {
  const writer = new RecordBatchWriter();
  return appends.flatMap(({ records }, append) => {
    if (records.length === 0) {
      return [{ append, bytes: nothing, count: 0, maxTimestampMs: 0, lastTimestampMs: 0 }];
    }
    return encodeBatches(writer, records, limits).map((batch) => ({ append, ...batch }));
  });
}

function ranges(
  appends: readonly PartitionAppend[],
  batches: readonly Placed[],
  baseOffsets: readonly string[],
): AppendedRange[] {
  const firsts = new Map<number, bigint>();
  batches.forEach((batch, index) => {
    if (!firsts.has(batch.append)) firsts.set(batch.append, BigInt(baseOffsets[index] as string));
  });
  return appends.map(({ topic, partition, records }, index) => {
    const first = firsts.get(index) as bigint;
    const end = first + BigInt(records.length);
    return { topic, partition, firstOffset: offset(first), endOffset: offset(end) };
  });
}
