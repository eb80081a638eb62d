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

/** Adds what a text says to sums by bucket. */
export function addDigests(sums: Map<number, BucketDigest>, text: string): void {
  for (let bucket = 0; bucket < digestBuckets; bucket += 1) {
    const begin = bucket * digits;
    const hash = BigInt(`0x${text.slice(begin, begin + 16)}`);
    const rows = Number.parseInt(text.slice(begin + 16, begin + digits), 16) | 0;
    const sum = sums.get(bucket) ?? { hash: 0n, rows: 0 };
    const added = BigInt.asUintN(64, sum.hash + hash);
    sums.set(bucket, { hash: added, rows: sum.rows + rows });
  }
}
