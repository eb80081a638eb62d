import type { RecordCursor } from "../record-batch/cursor.ts";
import type { TaskPartition } from "./task-partition.ts";

/**
 * What became of a record: `staged` to be folded, `passed` over (nothing of it concerns the
 * definition), a `duplicate`, or `learn`: its schema is not known here yet, call `learn` and take
 * the record again.
 */
export type Taken = "staged" | "passed" | "duplicate" | "learn";

/** Decodes records one after the other into the staged chunk. */
export interface Intake {
  /**
   * Compares the record's source coordinates, where they can be read without decoding.
   *
   * @throws FatalError for a hole, a missing coordinate, another incarnation.
   */
  check(cursor: RecordCursor, source: TaskPartition): "apply" | "duplicate";
  /**
   * @throws RecordError for a record that can never work.
   */
  take(cursor: RecordCursor, source: TaskPartition): Taken;
  /** @throws TransientError or RecordError as `EventReader.learn` does. */
  learn(): Promise<void>;
}

/** Parts of a record, beside its event, that only some definitions need. */
export interface IntakeNeeds {
  /** The record's key as text: to find the later records of a parked key. */
  readonly recordKeys: boolean;
  /** Origins, for the events that processors make. */
  readonly origins: boolean;
}

/** The record's key as text; undefined for null. */
export function recordKeyOf(cursor: RecordCursor): string | undefined {
  if (cursor.keyStart < 0) return undefined;
  return cursor.bytes.toString("utf8", cursor.keyStart, cursor.keyEnd);
}
