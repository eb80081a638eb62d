import { gunzipSync, zstdDecompressSync } from "node:zlib";

import { FatalError } from "../../../engine/errors.ts";
import { readInt64 } from "../../../engine/record-batch/batch-header.ts";
import { crc32c } from "../../../engine/record-batch/crc32c.ts";
import { batchLayout, UnsupportedBatchError } from "../../../engine/record-batch/index.ts";

/** The three lowest bits of a batch's attributes. */
const compressionBits = 0x07;
const codecNames = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

export function isCompressed(bytes: Buffer, at: number): boolean {
  return (bytes.readInt16BE(at + batchLayout.attributes) & compressionBits) !== 0;
}

/**
 * The same batch uncompressed, with length and checksum of its own.
 *
 * @throws UnsupportedBatchError for snappy and lz4, which Node has not.
 * @throws FatalError `batch-corrupt` when it can't be inflated, or only to more than the limit.
 */
export function inflateBatch(batch: Buffer, inflatedBytesMax: number): Buffer {
  const attributes = batch.readInt16BE(batchLayout.attributes);
  const records = inflateRecords(batch, attributes & compressionBits, inflatedBytesMax);
  const inflated = Buffer.concat([batch.subarray(0, batchLayout.records), records]);
  inflated.writeInt32BE(inflated.length - 12, batchLayout.length);
  inflated.writeInt16BE(attributes & ~compressionBits, batchLayout.attributes);
  inflated.writeUInt32BE(crc32c(inflated, batchLayout.attributes), batchLayout.checksum);
  return inflated;
}

function inflateRecords(batch: Buffer, codec: number, maxOutputLength: number): Buffer {
  const records = batch.subarray(batchLayout.records);
  const name = codecNames[codec] ?? `compression ${codec}`;
  const baseOffset = readInt64(batch, 0);
  if (name !== "gzip" && name !== "zstd") {
    throw new UnsupportedBatchError(
      `records compressed by ${name}, and gzip and zstd can be read`,
      baseOffset,
    );
  }
  try {
    const inflate = name === "gzip" ? gunzipSync : zstdDecompressSync;
    return inflate(records, { maxOutputLength });
  } catch (cause) {
    throw new FatalError(
      "batch-corrupt",
      `The record batch with base offset ${baseOffset} can't be inflated by ${name} to at most ` +
        `${maxOutputLength} bytes: ${(cause as Error).message}.`,
      "See what its producer wrote; a larger limit (inflatedBytesMax) may be what is missing.",
      { cause },
    );
  }
}
