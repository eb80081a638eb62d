import type { RecordToAppend } from "../ports/record-log.ts";
import type { RecordBatchWriter } from "../record-batch/writer.ts";

export interface BatchLimits {
  /** A batch is closed when it has reached this; one record may be larger and stands alone then. */
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
}

export const defaultBatchLimits: BatchLimits = {
  batchBytesMax: 256 * 1024,
  batchRecordsMax: 5_000,
};

/** A batch whose base offset is still 0: it is set when the offset is known. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly maxTimestampMs: number;
  readonly lastTimestampMs: number;
}

/** Encodes records into as few batches as the limits allow. */
export function encodeBatches(
  writer: RecordBatchWriter,
  records: readonly RecordToAppend[],
  limits: BatchLimits,
): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  let lastTimestampMs = 0;
  const close = (): void => {
    const { count, maxTimestampMs } = writer;
    batches.push({ bytes: writer.finish(0), count, maxTimestampMs, lastTimestampMs });
  };
  for (const record of records) {
    writer.add(record);
    ({ timestampMs: lastTimestampMs } = record);
    const full =
      writer.byteLength >= limits.batchBytesMax || writer.count >= limits.batchRecordsMax;
    if (full) close();
  }
  if (writer.count > 0) close();
  return batches;
}
