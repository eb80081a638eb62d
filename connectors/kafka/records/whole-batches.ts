import { FatalError } from "../../../engine/errors.ts";
import { readInt64 } from "../../../engine/record-batch/batch-header.ts";
import { batchLayout, UnsupportedBatchError } from "../../../engine/record-batch/index.ts";
import { inflateBatch, isCompressed } from "./inflate.ts";

export interface WholeBatches {
  /** Whole and uncompressed; in the answer's own memory where nothing had to be inflated. */
  readonly bytes: Buffer;
  /** The offset after the last record; -1 where there is no whole batch. */
  readonly nextOffset: number;
}

/** `lengthPrefix`: what stands before the bytes that a batch's length counts. */
const lengthPrefix = 12;
const magic = 2;

/**
 * The whole batches of a fetched record set, whose last one may be cut off, with compressed ones
 * inflated.
 *
 * @param inflatedBytesMax Of one batch.
 * @throws UnsupportedBatchError where a batch is of an older format or another compression.
 */
export function wholeBatches(records: Buffer, inflatedBytesMax: number): WholeBatches {
  const parts: Buffer[] = [];
  let plainFrom = 0;
  let at = 0;
  let nextOffset = -1;
  while (records.length - at >= batchLayout.records) {
    const end = at + lengthPrefix + records.readInt32BE(at + batchLayout.length);
    assertFormat(records, at, end);
    if (end > records.length) break;
    if (isCompressed(records, at)) {
      parts.push(records.subarray(plainFrom, at));
      parts.push(inflateBatch(records.subarray(at, end), inflatedBytesMax));
      plainFrom = end;
    }
    const lastOffsetDelta = records.readInt32BE(at + batchLayout.lastOffsetDelta);
    nextOffset = readInt64(records, at) + lastOffsetDelta + 1;
    at = end;
  }
  const plain = records.subarray(plainFrom, at);
  if (parts.length === 0) return { bytes: plain, nextOffset };
  return { bytes: Buffer.concat([...parts, plain]), nextOffset };
}

/** Without this, damaged bytes would be asked for again and again. */
function assertFormat(records: Buffer, at: number, end: number): void {
  const version = records.readInt8(at + batchLayout.magic);
  if (version !== magic) {
    throw new UnsupportedBatchError(`the old format ${version}`, readInt64(records, at));
  }
  if (end - at >= batchLayout.records) return;
  throw new FatalError(
    "batch-corrupt",
    `The record batch with base offset ${readInt64(records, at)} claims ${end - at} bytes.`,
    "Look at the broker's disk: its log is damaged.",
  );
}
