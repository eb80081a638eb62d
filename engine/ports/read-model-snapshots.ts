import type { AnyRow } from "../columns.ts";
import type { Epoch, Position } from "../position.ts";
import type { Generation } from "./read-model-store.ts";

/** Where a partition of a read model stands, for whoever follows it. */
export interface StandingPartition {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: Epoch;
  readonly position: Position | undefined;
  readonly lastRecordedAtMs: number | undefined;
  /**
   * Differs whenever rows may have changed while the position stayed: dead letters were settled.
   * Says nothing else.
   */
  readonly revision: string;
}

export interface SnapshotRow {
  readonly key: string;
  readonly partition: number;
  readonly row: AnyRow;
}

export interface ReadModelSnapshot {
  /** All the generation's partitions, in order of topic and partition. */
  readonly standing: readonly StandingPartition[];
  /** All rows of these partitions, in pages; true exactly at `standing`. */
  rows(partitions: ReadonlySet<number>): AsyncIterable<readonly SnapshotRow[]>;
}

/** Reads a read model as it is at one moment, so that a copy of it can be made while it goes on. */
export interface ReadModelSnapshots {
  /**
   * What is done within sees one moment, however long it takes: it must end.
   * @throws TransientError; FatalError `generation-unknown`.
   */
  within<Result>(
    generation: Generation,
    work: (snapshot: ReadModelSnapshot) => Promise<Result>,
  ): Promise<Result>;
  /** The generation that serves; undefined: the projection was never built. */
  serving(projection: string): Promise<Generation | undefined>;
}
