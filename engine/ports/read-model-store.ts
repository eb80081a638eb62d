import type { AnyRow, Columns } from "../columns.ts";
import type { Epoch, Position } from "../position.ts";
import type { DeadLetter, LetterSettlement } from "./dead-letters.ts";
import type { NewEvent } from "./event-store.ts";

/** What a store must know of a projection to keep its rows. */
export interface ReadModel {
  readonly projection: string;
  readonly version: number;
  readonly columns: Columns;
  /** Columns to index, each list one index. Volatile columns make every update dearer. */
  readonly indexes: readonly (readonly string[])[];
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

/** One stored build of a read model. */
export interface Generation {
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  readonly serving: boolean;
}

/** What a consumer owns of a topic's partition, and where it stands. */
export interface OwnedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: Epoch;
  /** undefined: nothing of it was ever applied. */
  readonly position: Position | undefined;
}

/**
 * A flush moves a partition from one position to a later one, or not at all. Where it only settles
 * dead letters, the two are the same: the fence is what counts.
 */
export interface Advance {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: Epoch;
  readonly from: Position | undefined;
  readonly to: Position;
  /** Records between the two, applied or dropped as duplicates. */
  readonly records: number;
  /** Recorded time of the last record applied; undefined when none had one. */
  readonly lastRecordedAtMs: number | undefined;
}

export interface RowMutation {
  readonly key: string;
  /** Partition of the input to which the row belongs. */
  readonly partition: number;
  /** undefined deletes. */
  readonly row: AnyRow | undefined;
  /**
   * There was such a row before the flush, as its writer knows. Left out: unknown. A row that is
   * there all the same is replaced.
   */
  readonly isUpdate?: boolean;
}

/** Change of a bucket's digest: sum of row hashes modulo 2^64, and the number of rows. */
export interface DigestDelta {
  /** Partition of the input to which the rows belong, for stores that keep partitions apart. */
  readonly partition?: number;
  readonly bucket: number;
  readonly hash: bigint;
  readonly rows: number;
  /**
   * It mends the stored digest itself, which had come apart from the rows. What a copy has of them
   * can't be known: one with digests of its own takes the partition's rows anew.
   */
  readonly correction?: true;
}

export interface ReadModelFlush {
  readonly generation: Generation;
  readonly advances: readonly Advance[];
  /** Each key at most once. */
  readonly rows: readonly RowMutation[];
  readonly digests: readonly DigestDelta[];
  /** Notices for the outbox; written only when the generation serves. */
  readonly notices: readonly NewEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** What becomes of letters from before. */
  readonly settlements?: readonly LetterSettlement[];
}

/**
 * Keeps read models with the positions up to which they are true.
 *
 * Atomicity: a flush is one transaction: rows, digests, notices, dead letters (new ones and what
 * becomes of old ones), positions, or nothing. Fencing: the stored epoch and next offset of **every** partition in the flush are
 * compared (rows locked in sorted order) before anything is written. A store of several servers or
 * scripts (Redis) writes each partition atomically: where a flush of several fails, the others may
 * have been written, and their fences tell.
 *
 * Failures: `FencedError` names the partitions whose epoch or position is not what the flush
 * expects, and all of them where a letter to settle isn't open any more; `TransientError` when the outcome is a clean no (connection refused, serialisation);
 * `TransientError` `outcome-unknown` when a commit's answer was lost: claim again and look.
 */
export interface ReadModelStore {
  /**
   * The generation that code of this version keeps: the serving one, or the first, made now.
   * @throws FatalError `version-differs` when the serving generation is of another version,
   * `columns-differ` when the version is the same and its columns are not.
   */
  open(model: ReadModel): Promise<Generation>;
  /**
   * Takes partitions over: raises their epochs (fencing out whoever had them) and tells where
   * they stand.
   */
  claim(
    generation: Generation,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]>;
  /** Rows by key; keys without a row are left out. */
  load(generation: Generation, keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>>;
  flush(flush: ReadModelFlush): Promise<void>;
  positions(generation: Generation): Promise<readonly Omit<OwnedPartition, "epoch">[]>;
  /** Buckets with rows, by bucket. */
  digests(generation: Generation): Promise<ReadonlyMap<number, { hash: bigint; rows: number }>>;
  /** All rows in order of key, in pages: for proofs, not for queries. */
  scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]>;
}
