import type { Probe } from "../crash-points.ts";
import { invariant } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { DeadLetters, LettersOfKey } from "../ports/dead-letters.ts";
import type { HeldPartition } from "../ports/generations.ts";
import { type Load, noLoad } from "../ports/load.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Advance } from "../ports/read-model-store.ts";
import type { Fetch } from "../ports/record-log.ts";
import type { ContextsOfRecords } from "../tracing/record-contexts.ts";
import { OpenBatch, type TaskStore } from "./batch.ts";
import { ChunkFold } from "./chunk-fold.ts";
import { Flusher, type FlushOutcome } from "./flusher.ts";
import { Healer, type HealVerdict, type HealWork } from "./healer.ts";
import { LetterBox } from "./letter-box.ts";
import { LetterSettler } from "./letter-settler.ts";
import type { TaskLimits } from "./limits.ts";
import type { Pipeline } from "./pipeline.ts";
import { Redriver } from "./redriver.ts";
import { Stager, type Work } from "./stager.ts";
import type { UnfitBatchError } from "./suspects.ts";
import { TaskPartition, type TaskPartitionOptions } from "./task-partition.ts";

/** Told as 0 from the start: a rate can't be taken of a counter that isn't there. */
const counters = [
  "records_applied_total",
  "duplicates_dropped_total",
  "holes_total",
  "dead_letters_total",
  "retries_total",
  "fenced_flushes_total",
];

export interface TaskOptions {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
  /** Needed to redrive. */
  readonly deadLetters?: DeadLetters | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: none. */
  readonly load?: Load | undefined;
  readonly metrics: Metrics;
  readonly probe: Probe;
  readonly limits: TaskLimits;
  /** Where spans are recorded: what the batches are linked to. */
  readonly contexts?: ContextsOfRecords | undefined;
  /** Ends waiting between tries. */
  readonly signal: AbortSignal;
}

/**
 * One definition at work on the partitions that this process owns: decode, load, fold across
 * partitions, flush once, with one flush in flight while the next batch fills. It pulls nothing by
 * itself: whoever drives it gives it what was fetched and says when to flush, so that tests drive
 * the same code as a process does. Calls must not overlap.
 */
export class Task {
  readonly #options: TaskOptions;
  readonly #partitions = new Map<string, TaskPartition>();
  readonly #open = new OpenBatch();
  readonly #stager: Stager;
  readonly #fold: ChunkFold;
  readonly #flusher: Flusher;
  readonly #settler: LetterSettler;
  readonly #healer: Healer;
  /** Resolves when its outcome is settled; rejects only with what nobody may catch. */
  #inFlight: Promise<void> | undefined;
  #inFlightBatch = 0;
  /** What nobody may catch has happened: the task is of no use any more. */
  #broken: { readonly error: unknown } | undefined;
  #rewinds = 0;

  constructor(options: TaskOptions) {
    this.#options = options;
    const { pipeline, store, metrics, limits, deadLetters, load = noLoad } = options;
    const { name: consumer, generation } = pipeline;
    const open = this.#open;
    const letters = new LetterBox({ consumer, generation, open, metrics, max: limits });
    const shared = { ...options, open, letters };
    this.#stager = new Stager({ ...shared, rewinds: () => this.#rewinds });
    this.#fold = new ChunkFold(shared);
    this.#flusher = new Flusher({
      ...shared,
      consumer,
      load,
      backoff: limits.backoff,
      rests: limits,
    });
    this.#settler = new LetterSettler({
      redriver: new Redriver({ ...shared, deadLetters }),
      flusher: this.#flusher,
      open,
      partitionOf: (of) => this.#ofLetters(of),
      apply: (outcome) => this.#apply(outcome),
      rewind: () => this.#rewind(),
      settled: (partition) => this.#letterRoom(partition),
    });
    this.#healer = new Healer({ store, flusher: this.#flusher, rows: pipeline.rows });
    for (const counter of counters) metrics.count(counter, 0, { consumer });
  }

  get name(): string {
    return this.#options.pipeline.name;
  }

  get partitions(): Iterable<TaskPartition> {
    return this.#partitions.values();
  }

  /**
   * How often the task went back to what is durable. After each time the records from the committed
   * positions on must be given again.
   */
  get rewinds(): number {
    return this.#rewinds;
  }

  /** Milliseconds (monotonic) at which the open batch wants to be flushed; undefined: it's empty. */
  get flushDueMs(): number | undefined {
    const { limits, pipeline } = this.#options;
    // Queries wait for positions of projections.
    const isAwaited = pipeline.kind !== "processor";
    const positionLingerMs = isAwaited ? limits.lingerMs : limits.positionLingerMs;
    const dueMs = this.#open.dueMs({ ...limits, positionLingerMs });
    return dueMs === undefined ? undefined : Math.max(dueMs, this.#flusher.restUntilMs);
  }

  get flushing(): boolean {
    return this.#inFlight !== undefined;
  }

  /** Of the read model; 0 for a processor. */
  get generation(): number {
    return this.#options.pipeline.generation;
  }

  /** Takes over partitions that the store has given. */
  add(partitions: readonly TaskPartitionOptions[]): void {
    for (const one of partitions) {
      const partition = new TaskPartition(one);
      invariant(!this.#partitions.has(partition.name), `${partition.name} is owned already.`);
      this.#partitions.set(partition.name, partition);
    }
    this.#options.probe.at("claimed");
  }

  /** Decodes and folds what was fetched; begins a flush whenever a batch is full. */
  async accept(fetch: Fetch): Promise<void> {
    this.#options.probe.at("fetched");
    const life = this.#rewinds;
    this.#options.contexts?.see(fetch, (partition) => this.#stagedOffset(fetch.topic, partition));
    const work = this.#workOf(fetch);
    while (work.length > 0) {
      if (this.#open.isFull(this.#options.limits)) await this.beginFlush();
      // A flush that was fenced meanwhile has taken the ground from under these records.
      if (this.#rewinds !== life) return;
      await this.#chunk(work);
      if (this.#rewinds !== life) return;
    }
    if (this.#open.isFull(this.#options.limits)) await this.beginFlush();
  }

  /** Closes the open batch and sends it off, after the one before has arrived. */
  async beginFlush(): Promise<void> {
    await this.settled();
    const advances: Advance[] = [];
    for (const partition of this.#partitions.values()) {
      const advance = partition.take();
      if (advance) advances.push(advance);
    }
    // Records came, and none was passed: their partition has halted at the first.
    if (advances.length === 0) return this.#open.clear();
    this.#options.metrics.observe("batch_records", this.#open.records, { consumer: this.name });
    this.#inFlightBatch = this.#open.number;
    const batch = this.#open.take(advances);
    this.#options.probe.at("flush-taken");
    this.#inFlight = this.#flusher.run(batch).then((outcome) => this.#apply(outcome));
    // Its failure is met by whoever settles it next, however late.
    this.#inFlight.catch((error: unknown) => (this.#broken = { error }));
  }

  /** Waits for the flush in flight, if there is one. */
  async settled(): Promise<void> {
    await this.#inFlight;
    if (this.#broken) throw this.#broken.error;
  }

  /** Makes durable what is folded. */
  async flush(): Promise<void> {
    await this.beginFlush();
    await this.settled();
  }

  /**
   * Makes durable what is folded, for a hold: until something is accepted again, the store has these
   * partitions exactly where they are.
   */
  async standStill(): Promise<readonly HeldPartition[]> {
    await this.flush();
    this.#options.probe.at("held");
    return [...this.partitions].map(({ topic, partition, epoch }) => ({ topic, partition, epoch }));
  }

  /** Mends one row and its bucket's digest, between two flushes: see `Healer`. */
  async heal(work: HealWork): Promise<HealVerdict> {
    await this.flush();
    return this.#healer.run(work, [...this.partitions], (outcome) => this.#apply(outcome));
  }

  /** Flushes, then gives these partitions (of all its topics) up. */
  async drain(partitions: ReadonlySet<number>): Promise<void> {
    await this.flush();
    this.#options.probe.at("drained");
    for (const [name, partition] of this.#partitions) {
      if (!partitions.has(partition.partition)) continue;
      if (partition.active) partition.transit("draining");
      partition.transit("stopped");
      this.#partitions.delete(name);
    }
    this.#options.pipeline.rows.drop(partitions);
  }

  /**
   * Does what operators have asked for the letters of these keys, between two flushes: in flushes of
   * their own, which have the fold's rows and the letters' dispositions in one transaction and leave
   * the positions where they are. Many keys share a flush; where that doesn't go, each has its own,
   * so that none waits for another's fault.
   *
   * @returns `later` when registry or store can't be asked, and when a flush failed: what was asked
   * for stands still where it wasn't done. `not-here`: none of them is ours.
   */
  async settle(of: readonly LettersOfKey[]): Promise<"settled" | "not-here" | "later"> {
    await this.flush();
    return this.#settler.run(of);
  }

  /** The partition of the letters, where it is ours. */
  #ofLetters(of: LettersOfKey): TaskPartition | undefined {
    const isOurs = of.consumer === this.name && of.generation === this.generation;
    return isOurs ? this.#partitions.get(`${of.topic}/${of.partition}`) : undefined;
  }

  /** Have partitions halted that time may bring back: by an outage, or by a hole? */
  get waitsForRecovery(): boolean {
    for (const { state, recovery } of this.#partitions.values()) {
      if (state === "halted" && recovery === "time") return true;
    }
    return false;
  }

  /**
   * Gives up partitions that time may bring back, so that they are claimed anew and tried again.
   * What the others have folded is folded again: behind the flush in flight, which may have moved
   * them on.
   */
  async recover(): Promise<void> {
    await this.settled();
    const halted = [...this.#partitions.values()].filter(
      ({ state, recovery }) => state === "halted" && recovery === "time",
    );
    if (halted.length > 0) this.#fenced(new Set(halted.map(({ partition }) => partition)));
  }

  /** A partition that halted for too many letters goes on, claimed anew, when there are fewer. */
  #letterRoom(partition: TaskPartition): void {
    if (partition.recovery !== "letters") return;
    const { failedLettersMax, waitingLettersMax } = this.#options.limits;
    if (partition.parked.fits({ failedLettersMax, waitingLettersMax })) {
      this.#fenced(new Set([partition.partition]));
    }
  }

  #stagedOffset(topic: string, partition: number): number | undefined {
    return this.#partitions.get(`${topic}/${partition}`)?.staged.nextOffset;
  }

  #workOf(fetch: Fetch): Work[] {
    const work: Work[] = [];
    for (const { partition, bytes, nextOffset } of fetch.partitions) {
      const source = this.#partitions.get(`${fetch.topic}/${partition}`);
      if (!source?.active) continue;
      if (source.state === "assigned") source.transit("running");
      const end = Number(nextOffset);
      if (end <= source.staged.nextOffset) continue;
      source.fetchedOffset = Math.max(source.fetchedOffset, end);
      work.push({ source, bytes, end });
    }
    return work;
  }

  async #chunk(work: Work[]): Promise<void> {
    const { probe, clock, metrics, pipeline } = this.#options;
    // Here and never while a chunk is staged: its rows are held, and not yet marked as touched.
    pipeline.rows.evict(this.#inFlight ? this.#inFlightBatch : this.#open.number);
    const life = this.#rewinds;
    this.#open.openedAtMs ??= clock.monotonicMs();
    const startedMs = clock.monotonicMs();
    await this.#stager.stage(work);
    const decodeSeconds = (clock.monotonicMs() - startedMs) / 1_000;
    metrics.observe("decode_seconds", decodeSeconds, { consumer: this.name });
    probe.at("staged");
    if (this.#rewinds !== life) return this.#voidChunk();
    try {
      await this.#stager.load();
    } catch (error) {
      // The flush in flight moves on what halts here, and may have lost it by now.
      await this.settled();
      if (this.#rewinds === life) this.#haltAll(error);
    }
    if (this.#rewinds !== life) return this.#voidChunk();
    probe.at("loaded");
    this.#fold.fold();
    this.#open.folded(startedMs);
    for (const partition of this.#partitions.values()) partition.assertOrder();
    probe.at("folded");
  }

  /** A flush failed while the chunk was on its way: what it has moved since goes back too. */
  #voidChunk(): void {
    this.#options.pipeline.staged.clear();
    this.#reset();
  }

  #apply(outcome: FlushOutcome): void {
    this.#inFlight = undefined;
    switch (outcome.kind) {
      case "committed":
        return this.#committed(outcome.advances);
      case "fenced":
        return this.#fenced(new Set(outcome.partitions));
      case "unfit":
        return this.#unfit(outcome.error);
      case "halted":
        return this.#haltAll(outcome.error);
    }
  }

  #committed(advances: readonly Advance[]): void {
    const { clock, metrics, probe } = this.#options;
    const consumer = this.name;
    this.#options.pipeline.suspects.clear();
    let oldestMs: number | undefined;
    for (const { topic, partition, to, epoch, lastRecordedAtMs } of advances) {
      const source = this.#partitions.get(`${topic}/${partition}`);
      if (!source) continue;
      source.commit(to, epoch);
      source.assertOrder();
      if (lastRecordedAtMs !== undefined)
        oldestMs = Math.min(oldestMs ?? Infinity, lastRecordedAtMs);
    }
    if (oldestMs !== undefined) {
      metrics.observe("freshness_seconds", (clock.nowMs() - oldestMs) / 1_000, { consumer });
    }
    probe.at("flush-noted");
  }

  /** Folds again, and sets aside what the flush was refused for. */
  #unfit(error: UnfitBatchError): void {
    if (!this.#options.pipeline.suspects.add(error.parts)) return this.#haltAll(error);
    this.#rewind();
  }

  #fenced(lost: ReadonlySet<number>): void {
    for (const [name, partition] of this.#partitions) {
      if (!lost.has(partition.partition)) continue;
      partition.transit("fenced");
      this.#partitions.delete(name);
    }
    this.#rewind();
  }

  #haltAll(error: unknown): void {
    this.#rewind();
    for (const partition of this.#partitions.values()) partition.halt(error);
  }

  /** Everything that isn't durable is void: rows, the open batch, and what waits to be folded. */
  #rewind(): void {
    this.#rewinds += 1;
    this.#reset();
  }

  #reset(): void {
    this.#options.pipeline.rows.clear();
    this.#open.clear();
    for (const partition of this.#partitions.values()) partition.rewind();
  }
}
