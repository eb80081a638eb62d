import { type BucketDigest, digestBuckets } from "../../engine/digest.ts";

/** Digits of one bucket: three unsigned halves of 32 bits, in base 16. */
const digits = 24;

const part = (value: bigint): string =>
  BigInt.asUintN(32, value)
    .toString(16)
    .padStart(digits / 3, "0");

/** All buckets' digests in one text: high half, low half and rows of each, in order. */
export function digestText(digests: ReadonlyMap<number, BucketDigest>): string {
  const parts = Array.from({ length: digestBuckets }, (_, bucket) => {
    const { hash, rows } = digests.get(bucket) ?? { hash: 0n, rows: 0 };
    return part(hash >> 32n) + part(hash) + part(BigInt(rows));
  });
  return parts.join("");
}

/** What the digits of one bucket say. */
export const bucketDigest = (text: string): BucketDigest => ({
  hash: BigInt(`0x${text.slice(0, 16)}`),
  rows: Number.parseInt(text.slice(16, digits), 16) | 0,
});

/** Adds what a text says to sums by bucket. */
export function addDigests(sums: Map<number, BucketDigest>, text: string): void {
  for (let bucket = 0; bucket < digestBuckets; bucket += 1) {
    const begin = bucket * digits;
    const { hash, rows } = bucketDigest(text.slice(begin, begin + digits));
    const sum = sums.get(bucket) ?? { hash: 0n, rows: 0 };
    const added = BigInt.asUintN(64, sum.hash + hash);
    sums.set(bucket, { hash: added, rows: sum.rows + rows });
  }
}
