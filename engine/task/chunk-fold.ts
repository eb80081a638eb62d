import { classify, reasonOf } from "../error-policy.ts";
import { FatalError } from "../errors.ts";
import type { RowChange } from "../ports/codec.ts";
import type { Metrics } from "../ports/metrics.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import type { OpenBatch } from "./batch.ts";
import { deadLetter, foldError, tooManyWait } from "./dead-letter.ts";
import type { HotRow } from "./hot-rows.ts";
import type { TaskLimits } from "./limits.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Segment } from "./staged.ts";

export interface ChunkFoldOptions {
  readonly pipeline: Pipeline;
  readonly limits: TaskLimits;
  readonly open: OpenBatch;
  readonly metrics: Metrics;
}

/** Second half of a chunk: folds the staged records, whose rows are all here now. */
export class ChunkFold {
  readonly #options: ChunkFoldOptions;
  readonly #cursor = new RecordCursor();
  /** Index of the record that is being folded. */
  #at = 0;

  constructor(options: ChunkFoldOptions) {
    this.#options = options;
  }

  fold(): void {
    const { pipeline, open, metrics } = this.#options;
    const { staged } = pipeline;
    let records = 0;
    for (const segment of staged.segments) records += this.#segment(segment);
    open.records += records;
    metrics.count("records_applied_total", staged.length, { consumer: pipeline.name });
    staged.clear();
  }

  /** @returns Records passed, folded or not. */
  #segment(segment: Segment): number {
    const { source } = segment;
    const { staged } = this.#options.pipeline;
    let failed = false;
    this.#at = segment.first;
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
    const { staged, meta, folder, emissions } = this.#options.pipeline;
    const { open } = this.#options;
    const { source } = segment;
    meta.topic = source.topic;
    meta.partition = source.partition;
    for (; this.#at < segment.end; this.#at += 1) {
      const at = this.#at;
      if (source.parked.size > 0 && this.#waits(segment)) continue;
      const row = staged.rows[at] as HotRow;
      meta.offset = staged.offsets[at] as number;
      meta.recordedAtMs = staged.recordedAtMs[at] as number;
      meta.sequence = staged.sequences[at] as number;
      if (emissions !== undefined) emissions.begin(staged.origins[at] as never);
      const after = folder(staged.handlers[at], row, staged.events[at]);
      // Only now: a reaction that threw has neither changed its state nor asked for anything.
      row.row = after;
      open.touch(row);
      if (emissions !== undefined && emissions.calls.length > 0) {
        for (const call of emissions.calls) open.calls.push(call);
      }
    }
  }

  #fail(segment: Segment, thrown: unknown): "halted" | "parked" {
    if (classify(thrown) === "rethrow") throw thrown;
    const { pipeline, open, metrics } = this.#options;
    const { source } = segment;
    const offset = pipeline.staged.offsets[this.#at] as number;
    // A fatal error of ours (too many letters wait) is not the record's fault.
    const fatal = thrown instanceof FatalError;
    if (fatal || pipeline.onRecordError === "halt") {
      source.halt(reasonOf(fatal ? thrown : foldError(thrown, source, offset)));
      return "halted";
    }
    const error = foldError(thrown, source, offset);
    this.#seek(segment, offset);
    const consumer = pipeline.name;
    open.letters.push(deadLetter(this.#cursor, source, { consumer, error }));
    metrics.count("dead_letters_total", 1, { consumer });
    source.parked.set(pipeline.staged.recordKeys[this.#at] as string, offset);
    this.#at += 1;
    return "parked";
  }

  #waits(segment: Segment): boolean {
    const { pipeline, open, limits, metrics } = this.#options;
    const { source } = segment;
    if (!source.parked.has(pipeline.staged.recordKeys[this.#at] as string)) return false;
    const max = limits.waitingLettersMax;
    if (source.waitingLetters >= max) throw tooManyWait(source, max);
    source.waitingLetters += 1;
    this.#seek(segment, pipeline.staged.offsets[this.#at] as number);
    const consumer = pipeline.name;
    open.letters.push(deadLetter(this.#cursor, source, { consumer, error: undefined }));
    metrics.count("dead_letters_total", 1, { consumer });
    return true;
  }

  #seek(segment: Segment, offset: number): void {
    this.#cursor.reset(segment.bytes, offset);
    this.#cursor.next();
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
  }
}
