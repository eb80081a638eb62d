import type { Lsn } from "../position.ts";
import type { PartitionAppend } from "./record-log.ts";

/** How far the write-ahead log is published. */
export interface CapturePosition {
  /** Commit LSN of the last transaction that is wholly published. */
  readonly commitLsn: Lsn;
  /**
   * Changes of the next transaction that are published already: 0, unless a transaction was too
   * large for one batch.
   */
  readonly changesAfter: number;
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
  publish(appends: readonly PartitionAppend[], upTo: CapturePosition): Promise<void>;
}
