import { FencedError, RefoldError, TransientError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type { Metrics } from "../../../engine/ports/metrics.ts";
import type { ReadModelSnapshots } from "../../../engine/ports/read-model-snapshots.ts";
import type { OwnedPartition, ReadModelFlush } from "../../../engine/ports/read-model-store.ts";
import type { RedisConnection } from "../connection.ts";
import { partitionsOf } from "../flush-call.ts";
import { partitionKey } from "../keys.ts";
import type { KnownGeneration } from "../known-generation.ts";
import type { RedisReadModelStore } from "../read-model-store.ts";
import { readScript } from "../scripts.ts";
import { FollowedPartition } from "./followed-partition.ts";
import { type Joined, joinPartitions } from "./join.ts";

export interface FollowerOptions {
  readonly redis: RedisConnection;
  readonly store: RedisReadModelStore;
  readonly snapshots: ReadModelSnapshots;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Told when Redis can't be followed, and when it can again. */
  readonly report: (message: string) => void;
  /**
   * Rows of a projection that may wait to be written; above it they are given up, and the partitions
   * filled anew (default 200,000).
   */
  readonly rowsWaitingMax?: number;
  /** How often it is looked whether Redis still has what was written (default 250). */
  readonly checkMs?: number;
  /** Wait after a failure (default 500). */
  readonly retryMs?: number;
}

/**
 * Brings Redis what a store has committed of one generation, partition by partition, and finds out
 * when Redis has lost it. One loop: compare or fill, write, look. It never keeps the store waiting.
 */
export class GenerationFollower {
  readonly known: KnownGeneration;
  /** Why Redis isn't followed now. */
  reason: string | undefined;
  readonly #options: FollowerOptions;
  readonly #partitions = new Map<number, FollowedPartition>();
  readonly #done: Promise<void>;
  readonly #ending = new AbortController();
  #wake = new AbortController();
  /** Asked once for each time that the server could not be reached. */
  #keepsKeys = false;
  #lookedAtMs = 0;

  constructor(known: KnownGeneration, options: FollowerOptions) {
    this.known = known;
    this.#options = options;
    this.#done = this.#run();
  }

  /** The store has given partitions to this process: whoever had them writes nothing any more. */
  claimed(owned: readonly OwnedPartition[]): void {
    for (const one of owned) {
      let partition = this.#partitions.get(one.partition);
      if (partition === undefined) {
        partition = new FollowedPartition(one.partition);
        this.#partitions.set(one.partition, partition);
      }
      partition.claimed(one);
    }
    this.#wake.abort();
  }

  /** The store has committed this. */
  committed(flush: ReadModelFlush): void {
    const { rowsWaitingMax = 200_000 } = this.#options;
    const settles = (flush.settlements ?? []).length > 0;
    let waiting = this.rowsWaiting;
    for (const part of partitionsOf(flush)) {
      const partition = this.#partitions.get(part.partition);
      waiting += part.rows.length;
      // Settled letters change rows under a position that stays: only a snapshot tells them apart.
      if (part.digests.some(({ correction }) => correction === true)) partition?.mended();
      else if (settles || waiting > rowsWaitingMax) partition?.rejoin();
      else partition?.committed(part);
    }
    this.#wake.abort();
  }

  get rowsWaiting(): number {
    let rows = 0;
    for (const partition of this.#partitions.values()) rows += partition.rowsWaiting;
    return rows;
  }

  get partitions(): readonly FollowedPartition[] {
    return [...this.#partitions.values()];
  }

  /** Partitions here that Redis isn't known to have. */
  get behind(): number {
    const states = [...this.#partitions.values()].map(({ state }) => state);
    return states.filter((state) => state !== "following").length;
  }

  /** Writes what waits, where Redis can be reached, and ends. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake.abort();
    await this.#done;
  }

  /** Ends, and writes nothing more: the generation is being removed. */
  async abandon(): Promise<void> {
    this.#partitions.clear();
    await this.stop();
    this.#tell();
  }

  async #run(): Promise<void> {
    const { clock, checkMs = 250, retryMs = 500 } = this.#options;
    while (!this.#ending.signal.aborted) {
      const { signal } = this.#wake;
      const ok = await this.#tried();
      this.#tell();
      if (!ok) await clock.sleep(retryMs, this.#ending.signal);
      else await clock.sleep(checkMs, signal);
      if (this.#wake.signal.aborted && !this.#ending.signal.aborted) {
        this.#wake = new AbortController();
      }
    }
    await this.#writeRest();
  }

  /** What follows already: nothing is filled at the end. */
  async #writeRest(): Promise<void> {
    try {
      await this.#look();
      while (await this.#write());
    } catch (error) {
      this.#failed(error);
    }
  }

  async #tried(): Promise<boolean> {
    try {
      await this.#step();
      this.#recovered();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #step(): Promise<void> {
    if (!this.#keepsKeys) {
      await this.#options.redis.assertKeepsKeys();
      this.#keepsKeys = true;
    }
    do {
      await this.#look();
      await this.#join();
    } while (await this.#write());
  }

  async #join(): Promise<void> {
    const waiting = this.#in("waiting");
    if (waiting.length === 0) return;
    const { known } = this;
    const { gone, filled } = await this.#joined(known, waiting);
    for (const partition of gone) this.#partitions.delete(partition);
    if (filled === 0) return;
    this.#options.metrics.count("redis_fills_total", filled, this.#labels);
  }

  async #joined(known: KnownGeneration, waiting: readonly FollowedPartition[]): Promise<Joined> {
    try {
      return await joinPartitions({ ...this.#options, known, waiting });
    } catch (error) {
      for (const partition of waiting) partition.notJoined();
      throw error;
    }
  }

  /** One chunk of each partition; false when nothing waited. */
  async #write(): Promise<boolean> {
    const due = this.#in("following").filter(({ idle }) => !idle);
    if (due.length === 0) return false;
    const results = await Promise.allSettled(due.map((partition) => this.#writeOne(partition)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return true;
  }

  async #writeOne(partition: FollowedPartition): Promise<void> {
    const chunk = partition.chunk();
    if (chunk === "gap") return partition.rejoin();
    const { generation } = this.known;
    const nothing = { notices: [], deadLetters: [] };
    try {
      await this.#options.store.flush({ generation, ...chunk.flush, ...nothing });
      partition.written(chunk);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      // Emptied, reset, or another process's: the store's epochs tell when it is joined again.
      partition.rejoin();
    }
  }

  /**
   * Has Redis lost something while nothing was written? And was written what was sent without an
   * answer? Nothing is sent again before that is known.
   */
  async #look(): Promise<void> {
    const { clock, checkMs = 250, redis } = this.#options;
    const due = clock.monotonicMs() - this.#lookedAtMs >= checkMs;
    const followed = this.#in("following");
    const asked = followed.filter(({ unsure, idle }) => unsure || (due && idle));
    if (due) this.#lookedAtMs = clock.monotonicMs();
    if (asked.length === 0) return;
    const calls = asked.map(({ partition, fields }) => ({
      script: readScript,
      keys: [partitionKey(this.known.generation, partition)],
      args: fields,
    }));
    const doing = `Looking after ${this.known.generation.projection} in Redis`;
    const answers = await redis.scripts(doing, "reading", calls);
    for (const [at, partition] of asked.entries()) {
      // What was claimed meanwhile is compared anyway.
      if (partition.state !== "following") continue;
      partition.stands(answers[at] as (string | null)[]);
    }
  }

  #in(state: FollowedPartition["state"]): FollowedPartition[] {
    return [...this.#partitions.values()].filter((partition) => partition.state === state);
  }

  #failed(error: unknown): void {
    const { metrics, report } = this.#options;
    const { projection } = this.known.generation;
    this.#keepsKeys = false;
    metrics.count("redis_failures_total", 1, this.#labels);
    const text = error instanceof Error ? error.message : String(error);
    const fencedOnly = error instanceof FencedError;
    if (this.reason === undefined && !fencedOnly) {
      report(`${projection} isn't followed in Redis for now: ${text}`);
    }
    const passing = error instanceof TransientError || fencedOnly;
    this.reason = passing || error instanceof RefoldError ? text : `unexpected: ${text}`;
  }

  #recovered(): void {
    if (this.reason === undefined) return;
    this.reason = undefined;
    this.#options.report(`${this.known.generation.projection} is followed in Redis again.`);
  }

  #tell(): void {
    const { metrics } = this.#options;
    metrics.gauge("redis_rows_waiting", this.rowsWaiting, this.#labels);
    metrics.gauge("redis_partitions_behind", this.behind, this.#labels);
  }

  get #labels(): { readonly consumer: string } {
    return { consumer: this.known.generation.projection };
  }
}
