import { CorruptBatchError, UnsupportedBatchError } from "./corrupt-batch.ts";
import { crc32c } from "./crc32c.ts";
import { attributeBits, batchLayout, lengthPrefixBytes, magic } from "./format.ts";

/** A signed 64-bit integer as a number; exact below 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4_294_967_296 + bytes.readUInt32BE(at + 4);
}

/** Writes a whole number, exact below 2^53, as a signed 64-bit integer. */
export function writeInt64(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 4_294_967_296);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 4_294_967_296, at + 4);
}

/**
 * Where the batch that begins at `start` ends, after its frame is found sound.
 *
 * @throws CorruptBatchError when it is cut short, of another version, or counts what can't be.
 * @throws UnsupportedBatchError when it is compressed.
 */
export function checkedBatchEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start < batchLayout.records) {
    throw new CorruptBatchError("its header is cut short", { baseOffset: -1, byte: start });
  }
  const baseOffset = readInt64(bytes, start);
  const length = bytes.readInt32BE(start + batchLayout.length);
  const end = start + lengthPrefixBytes + length;
  const damage = frameDamage(bytes, start, end);
  if (damage !== undefined) throw new CorruptBatchError(damage, { baseOffset, byte: start });
  const attributes = bytes.readInt16BE(start + batchLayout.attributes);
  if ((attributes & attributeBits.compression) !== 0) {
    throw new UnsupportedBatchError("compressed records", baseOffset);
  }
  return end;
}

function frameDamage(bytes: Buffer, start: number, end: number): string | undefined {
  const version = bytes.readInt8(start + batchLayout.magic);
  const count = bytes.readInt32BE(start + batchLayout.count);
  if (version !== magic) return `its version is ${version}, and only ${magic} can be read`;
  if (end - start < batchLayout.records) return "its length is smaller than its header";
  if (end > bytes.length) return `it is cut short by ${end - bytes.length} bytes`;
  if (readInt64(bytes, start) < 0) return "its base offset is negative";
  // The smallest record has seven bytes: length, attributes, two deltas, two lengths, a count.
  if (count < 0 || count * 7 > end - start - batchLayout.records) {
    return `it claims ${count} records, more than its bytes can hold`;
  }
  return undefined;
}

/** @throws CorruptBatchError when the checksum is another one than that of the bytes. */
export function verifyChecksum(bytes: Buffer, start: number, end: number): void {
  const expected = bytes.readUInt32BE(start + batchLayout.checksum);
  const found = crc32c(bytes, start + batchLayout.attributes, end);
  if (found === expected) return;
  throw new CorruptBatchError("its checksum differs from that of its bytes", {
    baseOffset: readInt64(bytes, start),
    byte: start + batchLayout.checksum,
  });
}
