import { invariant } from "../errors.ts";
import { type Position, lsn, offset, sequence, type SourcePosition } from "../position.ts";

/**
 * A position as the hot path keeps it: changed in place, with plain numbers where they are safe.
 * `unknown`: nothing of the partition was seen yet, so what identifies its records isn't known.
 */
export class Coordinates {
  kind: SourcePosition["kind"] | "unknown" = "unknown";
  /** The first offset that is not passed. */
  nextOffset = 0;
  /** Of `lane`: the sequence expected next. */
  nextSequence = 0;
  incarnation = "";
  /** Of `change`: the last one passed. */
  commitLsn = 0n;
  order = 0;

  /** Stands where the position does; without one at the offset, knowing nothing. */
  reset(position: Position | undefined, startOffset: number): void {
    this.kind = position?.source.kind ?? "unknown";
    this.nextOffset = position ? Number(position.nextOffset) : startOffset;
    if (position?.source.kind === "lane") {
      this.nextSequence = Number(position.source.nextSequence);
      this.incarnation = position.source.incarnation;
    } else {
      this.nextSequence = 0;
      this.incarnation = "";
    }
    const change = position?.source.kind === "change" ? position.source : undefined;
    this.commitLsn = change?.commitLsn ?? 0n;
    this.order = change?.order ?? 0;
  }

  copy(other: Coordinates): void {
    this.kind = other.kind;
    this.nextOffset = other.nextOffset;
    this.nextSequence = other.nextSequence;
    this.incarnation = other.incarnation;
    this.commitLsn = other.commitLsn;
    this.order = other.order;
  }

  position(logId: string): Position {
    return { logId, nextOffset: offset(this.nextOffset), source: this.#source() };
  }

  #source(): SourcePosition {
    switch (this.kind) {
      case "lane": {
        const { incarnation } = this;
        return { kind: "lane", incarnation, nextSequence: sequence(this.nextSequence) };
      }
      case "change":
        return { kind: "change", commitLsn: lsn(this.commitLsn), order: this.order };
      case "offset":
      case "unknown":
        return { kind: "offset" };
      default:
        return this.kind satisfies never;
    }
  }
}

/** Is the change newer than what was passed? */
export function isNewerChange(at: Coordinates, commitLsn: bigint, order: number): boolean {
  invariant(at.kind === "change", "Changes are compared where no change was ever seen.");
  return commitLsn > at.commitLsn || (commitLsn === at.commitLsn && order > at.order);
}
