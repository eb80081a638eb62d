import type { BucketDigest } from "../../engine/digest.ts";

/** Buckets in one row of the table. */
export const sliceBuckets = 16;

export interface BucketRow {
  readonly bucket: number;
  readonly high: bigint | string;
  readonly low: bigint | string;
  readonly rows: bigint | string;
}

/** The buckets of slices, one a row; `of` is a table's alias, or its name. */
export const bucketsOf = (of: string): string =>
  `cross join lateral (
     select (${of}.slice * ${sliceBuckets} + i - 1)::int4 as bucket, high, low, rows
     from unnest(${of}.high, ${of}.low, ${of}.rows) with ordinality as b (high, low, rows, i)
   ) b`;

/** Buckets that nothing was ever put into, or all of it taken out again, are left out. */
export function storedDigests(rows: readonly BucketRow[]): Map<number, BucketDigest> {
  const digests = new Map<number, BucketDigest>();
  for (const { bucket, high, low, rows: count } of rows) {
    const hash = (BigInt(high) << 32n) | BigInt(low);
    if (hash !== 0n || Number(count) !== 0) digests.set(bucket, { hash, rows: Number(count) });
  }
  return digests;
}

/** Of the projection $1 and its generation $2. */
export const digestStatement = `select b.* from refold.digests d ${bucketsOf("d")}
  where d.projection = $1 and d.generation = $2 order by 1`;
