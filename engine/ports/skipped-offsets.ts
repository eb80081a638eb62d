import type { Offset } from "../position.ts";

/** Offsets of one partition that no reader gets any more. */
export interface SkippedOffsets {
  /** The topic's id in the log: a topic made anew under the same name skips nothing. */
  readonly topicId: string;
  readonly topic: string;
  readonly partition: number;
  /** The first that is skipped. */
  readonly from: Offset;
  /** The first after them. */
  readonly to: Offset;
}

/**
 * What readers skip in a log that can't take records back. Ranges are added and never taken away.
 *
 * Failures: `TransientError`.
 */
export interface SkippedOffsetsSource {
  /** All ranges of all topics, in any order; they may overlap. */
  ranges(): Promise<readonly SkippedOffsets[]>;
}
