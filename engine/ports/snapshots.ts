import type { AnyRow } from "../columns.ts";
import type { BucketDigest } from "../digest.ts";
import type { ReadPosition } from "./read-model-reader.ts";
import type { SnapshotRow } from "./read-model-snapshots.ts";
import type { Generation } from "./read-model-store.ts";

/** What a snapshot was held against: the log folded from there on gave the same. */
export interface SnapshotAudit {
  readonly atMs: number;
  /** The audited snapshot that the fold began with, or the log's beginning. */
  readonly from: bigint | "beginning";
}

/** A copy of a read model with the positions at which it was true, kept to begin from. */
export interface SnapshotInfo {
  readonly id: bigint;
  readonly projection: string;
  readonly version: number;
  readonly generation: number;
  readonly takenAtMs: number;
  /** All partitions of which something was applied. */
  readonly positions: readonly ReadPosition[];
  /** Records applied up to these positions, of all partitions. */
  readonly records: number;
  /** The latest recorded time that it holds; undefined: it is empty. */
  readonly lastRecordedAtMs: number | undefined;
  readonly rows: number;
  readonly digests: ReadonlyMap<number, BucketDigest>;
  /** undefined: not held against the log yet; nothing may begin from it. */
  readonly audit: SnapshotAudit | undefined;
  /** The log gave something else: it stays for whoever looks into it, and is never begun from. */
  readonly refuted: string | undefined;
}

/**
 * Kept snapshots of read models.
 *
 * Atomicity: `take` copies rows, positions and digests of one moment. Failures: `TransientError`;
 * FatalError `generation-unknown`, `snapshot-unknown`.
 */
export interface Snapshots {
  take(of: Pick<Generation, "projection" | "generation">): Promise<SnapshotInfo>;
  /** Newest first. */
  list(projection: string): Promise<readonly SnapshotInfo[]>;
  audited(id: bigint, from: SnapshotAudit["from"]): Promise<void>;
  refuted(id: bigint, why: string): Promise<void>;
  remove(id: bigint): Promise<void>;
  row(
    id: bigint,
    key: string,
  ): Promise<{ readonly row: AnyRow; readonly partition: number } | undefined>;
  /** All rows in order of key (by UTF-8 bytes), in pages. */
  rows(id: bigint): AsyncIterable<readonly SnapshotRow[]>;
}
