import { header } from "../envelope.ts";
import { FatalError } from "../errors.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { TaskPartition } from "./task-partition.ts";

export type LaneVerdict = "apply" | "duplicate";

/**
 * Compares the record's source coordinates with what the partition expects.
 *
 * @returns `duplicate` for a sequence that was passed already.
 * @throws FatalError `hole`, `incarnation-differs`, `coordinates-missing`.
 */
export function checkLane(cursor: RecordCursor, source: TaskPartition): LaneVerdict {
  const { staged } = source;
  if (staged.kind === "offset") return "apply";
  const sequence = cursor.headerNumber(header.sequence);
  if (staged.kind === "unknown" && sequence === -1) {
    staged.kind = "offset";
    return "apply";
  }
  if (!(sequence >= 1)) throw missing(source, cursor.offset);
  if (staged.kind === "unknown") beginLane(cursor, source, sequence);
  if (!cursor.headerIs(header.incarnation, source.incarnationBytes as Buffer)) {
    throw replaced(source, cursor);
  }
  if (sequence === staged.nextSequence) return "apply";
  if (sequence < staged.nextSequence) return "duplicate";
  throw hole(source, sequence, cursor.offset);
}

function beginLane(cursor: RecordCursor, source: TaskPartition, sequence: number): void {
  const incarnation = cursor.headerText(header.incarnation);
  if (incarnation === undefined) throw missing(source, cursor.offset);
  source.staged.kind = "lane";
  source.staged.incarnation = incarnation;
  source.staged.nextSequence = source.holdsFirstRecord ? 1 : sequence;
  source.incarnationBytes = Buffer.from(incarnation, "utf8");
}

function missing(source: TaskPartition, offset: number): FatalError {
  return new FatalError(
    "coordinates-missing",
    `The record at ${source.name} offset ${offset} has no readable ce_sequence and ce_incarnation.`,
    "Something other than the change capture has written to this topic: find it and stop it.",
  );
}

function replaced(source: TaskPartition, cursor: RecordCursor): FatalError {
  const found = cursor.headerText(header.incarnation) ?? "none";
  return new FatalError(
    "incarnation-differs",
    `The record at ${source.name} offset ${cursor.offset} comes from the event store's life ` +
      `${found}, and what was applied until here from ${source.staged.incarnation}.`,
    "The event store was restored or replaced: check which one is the right one, then begin a " +
      "new incarnation, or read the log that belongs to the store.",
  );
}

function hole(source: TaskPartition, found: number, offset: number): FatalError {
  const expected = source.staged.nextSequence;
  const last = found - 1;
  const lacking = last === expected ? `${expected} is` : `${expected} to ${last} are`;
  return new FatalError(
    "hole",
    `${source.name}: expected sequence ${expected} and found ${found} at offset ${offset}, so ` +
      `${lacking} missing from the log.`,
    `Nothing after the hole was applied. Run refold republish ${source.name} --from ${expected}: it ` +
      "appends the lane again out of the event store, and the partition goes on by itself.",
  );
}
