import { backoffMs } from "../backoff.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { RecordError } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Metrics } from "../ports/metrics.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import type { OpenBatch, TaskStore } from "./batch.ts";
import { deadLetter, tooManyWait } from "./dead-letter.ts";
import { recordKeyOf } from "./intake.ts";
import type { TaskLimits } from "./limits.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Segment } from "./staged.ts";
import type { TaskPartition } from "./task-partition.ts";

/** Bytes of one partition that are not wholly staged. */
export interface Work {
  readonly source: TaskPartition;
  readonly bytes: Buffer;
  /** The offset after the last record in the bytes. */
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
  /** How often the task went back: a chunk on its way is void when it has changed. */
  readonly rewinds: () => number;
}

/** First half of a chunk: decodes records until the chunk is full, then loads their rows. */
export class Stager {
  readonly #options: StagerOptions;
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
    const { missing } = this.#options.pipeline.staged;
    const wanted = missing.filter((row) => !row.loaded);
    if (wanted.length === 0) return;
    const keys = [...new Set(wanted.map((row) => row.key))];
    const rows = await this.#retried(() => this.#options.store.load(keys));
    for (const entry of wanted) {
      entry.row = rows.get(entry.key);
      entry.base = entry.row;
      entry.loaded = true;
    }
  }

  async #stageOne(work: Work): Promise<boolean> {
    const { staged, name } = this.#options.pipeline;
    const { source, bytes } = work;
    // A fold has halted it since the chunk before: what is left would be staged for ever.
    if (!source.active) return true;
    const first = staged.length;
    const segment: Segment = { source, bytes, first, end: first, passed: 0 };
    staged.segments.push(segment);
    let verdict: "end" | "full" | "learn";
    do {
      this.#cursor.reset(bytes, source.staged.nextOffset);
      verdict = this.#walk(segment);
      if (verdict === "learn") await this.#learn(segment);
      // The partition may stand elsewhere now: the bytes at hand would be taken for a hole.
      if (this.#void) return false;
    } while (verdict === "learn" && source.state !== "halted");
    segment.end = staged.length;
    // Offsets may end in a gap (compaction, control records): the fetch says where it ends.
    if (verdict === "end" && source.state !== "halted") source.staged.nextOffset = work.end;
    if (source.reason?.startsWith("hole:")) {
      this.#options.metrics.count("holes_total", 1, { consumer: name });
    }
    return verdict !== "full";
  }

  /** Walks until the end of the bytes, a full chunk, an unknown schema, or a record that halts. */
  #walk(segment: Segment): "end" | "full" | "learn" {
    const { staged } = this.#options.pipeline;
    const { source } = segment;
    try {
      while (staged.length < this.#recordsMax) {
        if (!this.#cursor.next()) return "end";
        if (this.#one(segment) === "learn") return "learn";
      }
      return "full";
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      source.halt(reasonOf(error));
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
    if (source.parked.size > 0 && this.#waits(segment)) return "passed";
    try {
      const taken = intake.take(cursor, source);
      if (taken === "learn") return "learn";
      if (taken === "duplicate") this.#duplicate(segment);
      if (taken === "passed") segment.passed += 1;
    } catch (error) {
      this.#park(segment, error);
    }
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
  #park(segment: Segment, error: unknown): void {
    const { onRecordError, name } = this.#options.pipeline;
    if (!(error instanceof RecordError) || onRecordError === "halt") throw error;
    const { source } = segment;
    this.#options.open.letters.push(deadLetter(this.#cursor, source, { consumer: name, error }));
    this.#options.metrics.count("dead_letters_total", 1, { consumer: name });
    const key = recordKeyOf(this.#cursor);
    if (key !== undefined) source.parked.set(key, this.#cursor.offset);
    segment.passed += 1;
  }

  /** A record whose key is parked waits behind the letter that parked it. */
  #waits(segment: Segment): boolean {
    const { source } = segment;
    const key = recordKeyOf(this.#cursor);
    if (key === undefined || !source.parked.has(key)) return false;
    const { name: consumer } = this.#options.pipeline;
    const max = this.#options.limits.waitingLettersMax;
    if (source.waitingLetters >= max) throw tooManyWait(source, max);
    source.waitingLetters += 1;
    this.#options.open.letters.push(
      deadLetter(this.#cursor, source, { consumer, error: undefined }),
    );
    this.#options.metrics.count("dead_letters_total", 1, { consumer });
    segment.passed += 1;
    this.#pass(source);
    return true;
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
        this.#park(segment, error);
        this.#pass(segment.source);
      } catch {
        segment.source.halt(reasonOf(error));
      }
    }
  }

  /** Tries again what may work later, a bounded number of times. */
  async #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    const { limits, random, clock, signal, metrics, pipeline } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (classify(error) !== "retry" || attempt >= limits.backoff.attemptsMax) throw error;
        if (signal.aborted) throw error;
        metrics.count("retries_total", 1, { consumer: pipeline.name });
        await clock.sleep(backoffMs(attempt, limits.backoff, random), signal);
      }
    }
  }
}
