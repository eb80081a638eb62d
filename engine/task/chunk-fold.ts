import { classify } from "../error-policy.ts";
import { FatalError, invariant } from "../errors.ts";
import type { RowChange } from "../ports/codec.ts";
import type { LetterSource } from "../ports/dead-letters.ts";
import { lsn, sequence } from "../position.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import type { OpenBatch, TaskStore } from "./batch.ts";
import { foldError } from "./dead-letter.ts";
import { recordKeyOf } from "./intake.ts";
import type { LetterBox } from "./letter-box.ts";
import type { Pipeline } from "./pipeline.ts";
import { RecordFold } from "./record-fold.ts";
import type { Segment } from "./staged.ts";

export interface ChunkFoldOptions {
  readonly pipeline: Pipeline;
  readonly open: OpenBatch;
  readonly store: TaskStore;
  readonly letters: LetterBox;
}

/** Second half of a chunk: folds the staged records, whose rows are all here now. */
export class ChunkFold {
  readonly #options: ChunkFoldOptions;
  readonly #cursor = new RecordCursor();
  readonly #fold: RecordFold;
  /** Index of the record that is being folded. */
  #at = 0;
  /** The fold of this segment has parked a key, which later records of it may have. */
  #parkedHere = false;

  constructor(options: ChunkFoldOptions) {
    this.#options = options;
    this.#fold = new RecordFold(options);
  }

  fold(): void {
    const { pipeline, open } = this.#options;
    const { staged } = pipeline;
    let records = 0;
    for (const segment of staged.segments) records += this.#segment(segment);
    open.records += records;
    open.applied += staged.length;
    staged.clear();
  }

  /** @returns Records passed, folded or not. */
  #segment(segment: Segment): number {
    const { source } = segment;
    const { staged } = this.#options.pipeline;
    let failed = false;
    this.#at = segment.first;
    this.#parkedHere = false;
    while (this.#at < segment.end && !failed) {
      try {
        this.#run(segment);
      } catch (error) {
        failed = this.#fail(segment, error) === "halted";
      }
    }
    if (failed) this.#stopBefore(segment);
    else source.folded.copy(source.staged);
    const folded = this.#at - segment.first;
    if (folded > 0) source.lastRecordedAtMs = staged.recordedAtMs[this.#at - 1];
    const records = folded + segment.passed;
    source.openRecords += records;
    source.records += records;
    return records;
  }

  #run(segment: Segment): void {
    const { source } = segment;
    const fold = this.#fold;
    if (!this.#parkedHere) {
      for (; this.#at < segment.end; this.#at += 1) fold.apply(this.#at, source);
      return;
    }
    for (; this.#at < segment.end; this.#at += 1) {
      if (!this.#waits(segment)) fold.apply(this.#at, source);
    }
  }

  #fail(segment: Segment, thrown: unknown): "halted" | "parked" {
    if (classify(thrown) === "rethrow") throw thrown;
    const { pipeline, letters } = this.#options;
    const { source } = segment;
    const offset = pipeline.staged.offsets[this.#at] as number;
    // A fatal error of ours (too many letters wait) is not the record's fault.
    const error = thrown instanceof FatalError ? thrown : foldError(thrown, source.name, offset);
    if (error instanceof FatalError || pipeline.onRecordError === "halt") {
      source.halt(error);
      return "halted";
    }
    try {
      letters.assertRoom(source, "failed");
      this.#seek(segment, offset);
      letters.put(this.#cursor, source, { error, source: this.#place(segment) });
    } catch (full) {
      if (!(full instanceof FatalError)) throw full;
      source.halt(full);
      return "halted";
    }
    this.#parkedHere = true;
    this.#at += 1;
    return "parked";
  }

  /** Those that the stager saw waiting aren't here: only a key that was parked since can be meant. */
  #waits(segment: Segment): boolean {
    const { pipeline, letters } = this.#options;
    const { source } = segment;
    const offset = pipeline.staged.offsets[this.#at] as number;
    this.#seek(segment, offset);
    const key = recordKeyOf(this.#cursor);
    if (key === undefined || !source.parked.has(key, offset)) return false;
    letters.assertRoom(source, "waiting");
    letters.put(this.#cursor, source, { error: undefined, source: this.#place(segment) });
    return true;
  }

  /** Forward where it can: all records of a segment are passed once. */
  #seek({ bytes }: Segment, offset: number): void {
    if (this.#cursor.bytes !== bytes || this.#cursor.offset > offset) {
      this.#cursor.reset(bytes, offset);
    }
    while (this.#cursor.offset < offset) {
      invariant(this.#cursor.next(), `The record at offset ${offset} was staged from its bytes.`);
    }
  }

  #place({ source }: Segment): LetterSource {
    const { staged } = this.#options.pipeline;
    switch (source.staged.kind) {
      case "lane": {
        const { incarnation } = source.staged;
        const at = sequence(staged.sequences[this.#at] as number);
        return { kind: "lane", incarnation, sequence: at };
      }
      case "change": {
        const { snapshot, commitLsn, order } = staged.events[this.#at] as RowChange;
        return snapshot
          ? { kind: "unknown" }
          : { kind: "change", commitLsn: lsn(commitLsn), order };
      }
      case "offset":
      case "unknown":
        return { kind: "unknown" };
      default:
        return source.staged.kind satisfies never;
    }
  }

  /** The partition stands before the record that halted it, as if the later ones had not come. */
  #stopBefore({ source, first }: Segment): void {
    const { staged } = this.#options.pipeline;
    const { commitLsn, order } = source.folded;
    source.folded.copy(source.staged);
    source.folded.nextOffset = staged.offsets[this.#at] as number;
    source.folded.nextSequence = staged.sequences[this.#at] as number;
    if (source.folded.kind === "change") {
      source.folded.commitLsn = commitLsn;
      source.folded.order = order;
      for (let at = first; at < this.#at; at += 1) {
        const change = staged.events[at] as RowChange;
        if (change.snapshot) continue;
        source.folded.commitLsn = change.commitLsn;
        source.folded.order = change.order;
      }
    }
    source.staged.copy(source.folded);
    // The stager went further than the fold, and may have set aside what comes after.
    this.#options.letters.takeBack(source, source.folded.nextOffset);
  }
}
