import { classify } from "../error-policy.ts";
import { invariant, RecordError } from "../errors.ts";
import { offset } from "../position.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Metrics } from "../ports/metrics.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { encodeRecordBatch } from "../record-batch/writer.ts";
import type { OpenBatch, TaskStore } from "./batch.ts";
import { recordKeyOf } from "./intake.ts";
import type { LetterBox } from "./letter-box.ts";
import type { TaskLimits } from "./limits.ts";
import { loadMissing } from "./missing-rows.ts";
import type { Pipeline } from "./pipeline.ts";
import { retried } from "./retried.ts";
import type { Segment } from "./staged.ts";
import type { TaskPartition } from "./task-partition.ts";

/** Bytes of one partition that are not wholly staged. */
export interface Work {
  readonly source: TaskPartition;
  readonly bytes: Buffer;
  /** The offset after the last record that is wanted of the bytes. */
  readonly end: number;
}

export interface StagerOptions {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly limits: TaskLimits;
  readonly signal: AbortSignal;
  readonly open: OpenBatch;
  readonly letters: LetterBox;
  /** How often the task went back: a chunk on its way is void when it has changed. */
  readonly rewinds: () => number;
}

/** The record at hand with another value. */
function withValue(cursor: RecordCursor, value: Uint8Array): RecordCursor {
  const record = { ...cursor.record(), value };
  const edited = new RecordCursor();
  edited.reset(encodeRecordBatch({ baseOffset: offset(cursor.offset), records: [record] }), 0);
  invariant(edited.next(), "A batch of one record has a record.");
  return edited;
}

/** First half of a chunk: decodes records until the chunk is full, then loads their rows. */
export class Stager {
  readonly #options: StagerOptions;
  /** Reason of the hole that was met last in each partition, by its name. */
  readonly #holes = new Map<string, string>();
  readonly #cursor = new RecordCursor();
  #recordsMax = 0;
  /** `rewinds` when the chunk was begun. */
  #life = 0;

  constructor(options: StagerOptions) {
    this.#options = options;
  }

  /** Stages from the front of the work; what is wholly staged (or has halted) is taken off it. */
  async stage(work: Work[]): Promise<void> {
    const { open, limits, pipeline } = this.#options;
    pipeline.staged.clear();
    this.#life = this.#options.rewinds();
    this.#recordsMax = Math.min(limits.chunkRecordsMax, limits.batchRecordsMax - open.records);
    for (let next = work[0]; next !== undefined; next = work[0]) {
      const finished = await this.#stageOne(next);
      // A flush may have failed in between: what comes next in the work isn't next any more.
      if (!finished || this.#void) return;
      open.bytes += next.bytes.length;
      work.shift();
    }
  }

  /** One query for all the rows that aren't held. */
  async load(): Promise<void> {
    const { pipeline, store } = this.#options;
    await loadMissing(pipeline.staged, (keys) => this.#retried(() => store.load(keys)));
  }

  async #stageOne(work: Work): Promise<boolean> {
    const { staged } = this.#options.pipeline;
    const { source, bytes } = work;
    // A fold has halted it since the chunk before: what is left would be staged for ever.
    if (!source.active) return true;
    const first = staged.length;
    const segment: Segment = { source, bytes, first, end: first, passed: 0 };
    staged.segments.push(segment);
    let verdict: "end" | "full" | "learn";
    do {
      this.#cursor.reset(bytes, source.staged.nextOffset);
      verdict = this.#walk(segment, work.end);
      if (verdict === "learn") await this.#learn(segment);
      // The partition may stand elsewhere now: the bytes at hand would be taken for a hole.
      if (this.#void) return false;
    } while (verdict === "learn" && source.state !== "halted");
    segment.end = staged.length;
    // Offsets may end in a gap (compaction, control records): the fetch says where it ends.
    if (verdict === "end" && source.state !== "halted") source.staged.nextOffset = work.end;
    if (source.reason?.startsWith("hole:")) this.#countHole(source.name, source.reason);
    return verdict !== "full";
  }

  /** A hole that is met again, because it is looked at from time to time, counts once. */
  #countHole(partition: string, reason: string): void {
    if (this.#holes.get(partition) === reason) return;
    this.#holes.set(partition, reason);
    const consumer = this.#options.pipeline.name;
    this.#options.metrics.count("holes_total", 1, { consumer });
  }

  /** Walks until the end of the bytes, a full chunk, an unknown schema, or a record that halts. */
  #walk(segment: Segment, end: number): "end" | "full" | "learn" {
    const { staged } = this.#options.pipeline;
    const { source } = segment;
    try {
      while (staged.length < this.#recordsMax) {
        // Bytes may go on beyond what is wanted of them.
        if (!this.#cursor.next() || this.#cursor.offset >= end) return "end";
        if (this.#one(segment) === "learn") return "learn";
      }
      return "full";
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      source.halt(error);
      return "end";
    }
  }

  #one(segment: Segment): "passed" | "learn" {
    const { source } = segment;
    const { intake } = this.#options.pipeline;
    const cursor = this.#cursor;
    if (intake.check(cursor, source) === "duplicate") {
      this.#duplicate(segment);
      source.staged.nextOffset = cursor.offset + 1;
      return "passed";
    }
    if (source.discarded?.has(cursor.offset)) return this.#leaveOut(segment);
    if (source.parked.size > 0 && this.#isParked(source)) return this.#wait(segment);
    try {
      const edited = source.edited?.get(cursor.offset);
      const record = edited === undefined ? cursor : withValue(cursor, edited);
      const taken = intake.take(record, source);
      if (taken === "learn") return "learn";
      if (taken === "duplicate") this.#duplicate(segment);
      if (taken === "passed") segment.passed += 1;
      this.#pass(source);
    } catch (error) {
      this.#setAside(segment, error);
    }
    return "passed";
  }

  /** An operator has discarded it: it counts as passed, and its copies are duplicates. */
  #leaveOut(segment: Segment): "passed" | "learn" {
    const { source } = segment;
    const place = this.#options.pipeline.intake.setAside(this.#cursor, source);
    if (place === "learn") return "learn";
    if (place === "duplicate") this.#duplicate(segment);
    else segment.passed += 1;
    this.#pass(source);
    return "passed";
  }

  #pass({ staged }: TaskPartition): void {
    staged.nextOffset = this.#cursor.offset + 1;
    if (staged.kind === "lane") staged.nextSequence += 1;
  }

  #duplicate(segment: Segment): void {
    segment.passed += 1;
    const { metrics, pipeline } = this.#options;
    metrics.count("duplicates_dropped_total", 1, { consumer: pipeline.name });
  }

  /** Sets the record aside and parks its key, where the definition says so; throws otherwise. */
  #setAside(segment: Segment, error: unknown): void {
    const { pipeline, letters } = this.#options;
    if (!(error instanceof RecordError) || pipeline.onRecordError === "halt") throw error;
    const { source } = segment;
    letters.assertRoom(source, "failed");
    const place = pipeline.intake.setAside(this.#cursor, source);
    // Copies and unknown schemas were told before anything could fail.
    const known = typeof place === "string" ? { kind: "unknown" as const } : place;
    letters.put(this.#cursor, source, { error, source: known });
    segment.passed += 1;
    this.#pass(source);
  }

  #isParked({ parked }: TaskPartition): boolean {
    const key = recordKeyOf(this.#cursor);
    return key !== undefined && parked.has(key, this.#cursor.offset);
  }

  /** A record whose key is parked waits behind the letter that parked it. */
  #wait(segment: Segment): "passed" | "learn" {
    const { source } = segment;
    this.#options.letters.assertRoom(source, "waiting");
    const place = this.#options.pipeline.intake.setAside(this.#cursor, source);
    if (place === "learn") return "learn";
    if (place === "duplicate") this.#duplicate(segment);
    else {
      this.#options.letters.put(this.#cursor, source, { error: undefined, source: place });
      segment.passed += 1;
    }
    this.#pass(source);
    return "passed";
  }

  /** The task went back since the chunk was begun. */
  get #void(): boolean {
    return this.#options.rewinds() !== this.#life;
  }

  async #learn(segment: Segment): Promise<void> {
    try {
      await this.#retried(() => this.#options.pipeline.intake.learn());
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      if (this.#void) return;
      try {
        this.#setAside(segment, error);
      } catch (failure) {
        segment.source.halt(failure);
      }
    }
  }

  #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    const { limits, metrics, pipeline } = this.#options;
    const { backoff } = limits;
    const onRetry = (): void => metrics.count("retries_total", 1, { consumer: pipeline.name });
    return retried({ ...this.#options, backoff, onRetry }, work);
  }
}
