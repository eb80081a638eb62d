import { checkedBatchEnd, readInt64 } from "./batch-header.ts";
import { CorruptBatchError } from "./corrupt-batch.ts";
import { RecordCursor } from "./cursor.ts";
import { batchLayout } from "./format.ts";
import { RecordBatchWriter } from "./writer.ts";

export interface OffsetRange {
  readonly from: number;
  /** The first offset after the range. */
  readonly to: number;
}

/**
 * Whole, uncompressed batches without the records of some ranges: a batch that lies wholly in one is
 * dropped, one that overlaps is written anew without them, and all others stay as they are. So does
 * what can't be read: the reader's own cursor is to tell of it.
 */
export function withoutOffsets(bytes: Buffer, ranges: readonly OffsetRange[]): Buffer {
  const kept: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = batchEnd(bytes, at);
    if (end === undefined) {
      kept.push(bytes.subarray(at));
      break;
    }
    kept.push(...cutBatch(bytes.subarray(at, end), ranges));
    at = end;
  }
  return kept.length === 1 ? (kept[0] as Buffer) : Buffer.concat(kept);
}

function batchEnd(bytes: Buffer, start: number): number | undefined {
  try {
    return checkedBatchEnd(bytes, start);
  } catch (error) {
    if (error instanceof CorruptBatchError) return undefined;
    throw error;
  }
}

function cutBatch(batch: Buffer, ranges: readonly OffsetRange[]): readonly Buffer[] {
  const base = readInt64(batch, batchLayout.baseOffset);
  const last = base + batch.readInt32BE(batchLayout.lastOffsetDelta);
  const touching = ranges.filter(({ from, to }) => from <= last && to > base);
  if (touching.length === 0) return [batch];
  if (touching.some(({ from, to }) => from <= base && to > last)) return [];
  try {
    return [...rewritten(batch, touching)];
  } catch (error) {
    if (error instanceof CorruptBatchError) return [batch];
    throw error;
  }
}

/** The records that are left, in a batch for each run of offsets: within a batch they have no gaps. */
function* rewritten(batch: Buffer, ranges: readonly OffsetRange[]): Generator<Buffer> {
  const writer = new RecordBatchWriter();
  // What is written anew must be sound: a damaged byte would get a right checksum.
  const cursor = new RecordCursor({ verify: "checksum" });
  cursor.reset(batch, 0);
  let base = 0;
  while (cursor.next()) {
    const { offset } = cursor;
    if (ranges.some(({ from, to }) => from <= offset && offset < to)) continue;
    if (writer.count > 0 && offset !== base + writer.count) yield writer.finish(base);
    if (writer.count === 0) base = offset;
    writer.add(cursor.record());
  }
  if (writer.count > 0) yield writer.finish(base);
}
