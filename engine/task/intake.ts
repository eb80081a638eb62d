import type { LetterSource } from "../ports/dead-letters.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { Coordinates } from "./coordinates.ts";
import type { TaskPartition } from "./task-partition.ts";

/**
 * What became of a record: `staged` to be folded, `passed` over (nothing of it concerns the
 * definition), a `duplicate`, or `learn`: its schema is not known here yet, call `learn` and take
 * the record again.
 */
export type Taken = "staged" | "passed" | "duplicate" | "learn";

/** What an intake needs of the partition that a record comes from. */
export interface IntakeSource {
  readonly topic: string;
  readonly partition: number;
  readonly logId: string;
  /** `<topic>/<partition>`. */
  readonly name: string;
  /** What is staged already: tells duplicates, and moves on with what is taken. */
  readonly staged: Coordinates;
}

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
  take(cursor: RecordCursor, source: IntakeSource): Taken;
  /**
   * Passes a record that is set aside without being taken, and tells where it stands in its source:
   * a copy of it that comes later must be known as one.
   */
  setAside(cursor: RecordCursor, source: IntakeSource): LetterSource | "duplicate" | "learn";
  /** @throws TransientError or RecordError as `EventReader.learn` does. */
  learn(): Promise<void>;
}

/** Parts of a record, beside its event, that only some definitions need. */
export interface IntakeNeeds {
  /** Origins of so many records of a chunk, its first: for what they lead to. */
  readonly originsMax: number;
}

/** The record's key as `keyText` gives it; undefined for null. */
export function recordKeyOf(cursor: RecordCursor): string | undefined {
  if (cursor.keyStart < 0) return undefined;
  return cursor.bytes.toString("latin1", cursor.keyStart, cursor.keyEnd);
}
