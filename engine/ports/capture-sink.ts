import type { Lsn } from "../position.ts";
import type { PartitionAppend } from "./record-log.ts";

/** How far the write-ahead log is published. */
export interface CapturePosition {
  /**
   * Where the commit of the last transaction that is wholly published ends; 0 while there is none
   * (but perhaps a snapshot).
   */
  readonly commitLsn: Lsn;
  /**
   * Changes of the next transaction that are published already: 0, unless a transaction was too
   * large for one batch.
   */
  readonly changesAfter: number;
  /**
   * Everything that committed before this LSN is published, the snapshot included: at or above
   * `commitLsn`. It rises without records too, past WAL in which nothing was captured. Left out
   * while the snapshot is not whole: the capture begins again.
   */
  readonly completeLsn?: Lsn;
  /**
   * How far the rows are told of tables that are read while changes flow; the capture's own text.
   * Left out: there are none.
   */
  readonly incremental?: string;
}

/** The last event of a lane that the log has. */
export interface LoggedLaneEnd {
  readonly partition: number;
  readonly sequence: number;
  readonly eventId: string | undefined;
}

/**
 * Where a capture publishes. `publish` is one step: the records and the position together (embedded
 * log), or the records and then the position, so that a crash between them repeats and never skips
 * (Kafka). Only one capture at a time: `open` raises an epoch that fences earlier ones out.
 *
 * Failures: `FencedError` when another capture has opened the sink; `TransientError`.
 */
export interface CaptureSink {
  /** undefined: nothing was ever published; the capture begins with a snapshot. */
  open(): Promise<CapturePosition | undefined>;
  /** The same without taking over: whoever captures goes on. */
  position(): Promise<CapturePosition | undefined>;
  /** The tables that were captured up to now; undefined where that was never told. */
  tables(): Promise<readonly string[] | undefined>;
  /** Remembers which tables are captured from now on. */
  setTables(names: readonly string[]): Promise<void>;
  /**
   * Whether anything was ever published to a topic. Left out: the sink can't tell, and a table that
   * comes with rows to a capture that goes on is refused.
   */
  hasRecords?(topic: string): Promise<boolean>;
  /**
   * The last event in each partition of a topic that has one. Left out: the log is in the captured
   * database, and the capture looks there.
   */
  laneEnds?(topic: string): Promise<readonly LoggedLaneEnd[]>;
  /** The server that was captured up to now; undefined where that was never told. */
  source(): Promise<string | undefined>;
  /** Remembers which server is captured from now on. */
  setSource(identity: string): Promise<void>;
  /**
   * Makes a topic unless it is there. Left out: topics must be there before something is published
   * to them.
   */
  ensureTopic?(topic: { readonly name: string; readonly partitions: number }): Promise<void>;
  publish(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void>;
  /**
   * Publishes all parts and the position as one step, so that a crash leaves none of a snapshot.
   * Where a sink can't, the capture publishes part by part without `completeLsn`, and repeats the
   * snapshot after a crash.
   */
  publishSnapshot?(
    parts: AsyncIterable<readonly PartitionAppend[]>,
    upTo: CapturePosition,
  ): Promise<void>;
}
