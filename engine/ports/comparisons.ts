import type { BucketDigest } from "../digest.ts";
import type { StandingPartition, SnapshotRow } from "./read-model-snapshots.ts";
import type { Generation } from "./read-model-store.ts";

/** One generation as it was at the moment of the view. */
export interface ViewedGeneration {
  readonly standing: readonly StandingPartition[];
  /** As flushes have kept them. */
  readonly digests: ReadonlyMap<number, BucketDigest>;
  /** All rows in order of key (by UTF-8 bytes), in pages. */
  rows(): AsyncIterable<readonly SnapshotRow[]>;
  /** One row, of the same moment; without it all rows are read to find one. */
  row?(key: string): Promise<SnapshotRow | undefined>;
}

/**
 * Sees several generations at one moment, however long it takes to read them.
 *
 * @throws TransientError; FatalError `generation-unknown`.
 */
export interface Comparisons {
  /** The moment is when `work` is called: whoever was held for it may go on from then. */
  within<Result>(
    generations: readonly Pick<Generation, "projection" | "generation">[],
    work: (views: readonly ViewedGeneration[]) => Promise<Result>,
  ): Promise<Result>;
}
