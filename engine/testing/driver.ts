import type { AnyRow } from "../columns.ts";
import { type CrashPoint, type Probe } from "../crash-points.ts";
import { digestsOf } from "../digest.ts";
import { CrashSignal } from "../error-policy.ts";
import { invariant } from "../errors.ts";
import { ManualClock, SeededRandom } from "../memory/clock.ts";
import { MemoryReadModelStore } from "../memory/read-model-store.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import { offset, type Offset } from "../position.ts";
import type { EventCodec } from "../ports/codec.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { ReadModelStore } from "../ports/read-model-store.ts";
import type { AnyProjection } from "../projection.ts";
import { storedColumns } from "../task/pipeline.ts";
import { projectionPipeline, topicsOf } from "../task/pipeline.ts";
import { taskLimits, type TaskLimits } from "../task/limits.ts";
import { ProjectionStore, readModelOf } from "../task/projection-store.ts";
import { Task } from "../task/task.ts";
import { Claims } from "../runner/claims.ts";
import { assertEqual } from "./given.ts";

export interface DriverOptions {
  readonly projection: AnyProjection;
  readonly codec: EventCodec;
  readonly log?: MemoryRecordLog;
  readonly store?: ReadModelStore;
  /** Decides batch borders, flushes and where it crashes. */
  readonly seed?: number;
  /**
   * One step in so many crashes, at random (default 40; 0: never). Also `crashAt` says exactly
   * where, once.
   */
  readonly crashOneIn?: number;
  readonly crashAt?: { readonly point: CrashPoint; readonly visit: number };
  readonly limits?: Partial<TaskLimits>;
}

/**
 * Runs a projection's real task on the in-memory log and store with a clock that stands still: only
 * the I/O is simulated. By default its batches have odd borders and it crashes now and then; after
 * a crash everything but log and store is made anew, as after a process' death.
 */
export class ProjectionDriver implements Probe {
  readonly log: MemoryRecordLog;
  readonly store: ReadModelStore;
  readonly clock = new ManualClock();
  crashes = 0;
  readonly #options: DriverOptions;
  readonly #random: SeededRandom;
  readonly #visits = new Map<CrashPoint, number>();
  #crashing = false;
  #task: Task | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed ?? 1);
    this.log = options.log ?? new MemoryRecordLog();
    this.store = options.store ?? new MemoryReadModelStore();
  }

  /** Crashes where it was asked to, or by chance. */
  at(point: CrashPoint): void {
    if (!this.#crashing) return;
    const { crashAt, crashOneIn = 40 } = this.#options;
    const visit = (this.#visits.get(point) ?? 0) + 1;
    this.#visits.set(point, visit);
    const chosen = crashAt?.point === point && crashAt.visit === visit;
    const byChance = !crashAt && crashOneIn > 0 && this.#random.next() * crashOneIn < 1;
    if (!chosen && !byChance) return;
    this.crashes += 1;
    throw new CrashSignal(point);
  }

  /** The task of now: what it has dropped, where it stands. */
  get task(): Task {
    invariant(this.#task !== undefined, "Nothing was run yet.");
    return this.#task;
  }

  /** Works until everything that the log holds is durable, over any number of crashes. */
  async catchUp(): Promise<void> {
    const attemptsMax = 10_000;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      this.#crashing = true;
      try {
        await this.#life();
        return;
      } catch (error) {
        if (!(error instanceof CrashSignal)) throw error;
        this.#task = undefined;
      } finally {
        this.#crashing = false;
      }
    }
    invariant(false, `The driver crashed ${attemptsMax} times without getting anywhere.`);
  }

  /** The stored rows, by key. */
  async rows(): Promise<Map<string, AnyRow>> {
    const generation = await this.store.open(readModelOf(this.#options.projection));
    const rows = new Map<string, AnyRow>();
    for await (const page of this.store.scan(generation)) {
      for (const { key, row } of page) rows.set(key, row);
    }
    return rows;
  }

  /** Are the stored digests those of the stored rows? @throws ExpectationError when not. */
  async assertDigests(): Promise<void> {
    const { projection } = this.#options;
    const generation = await this.store.open(readModelOf(projection));
    const rows = [...(await this.rows())].map(([key, row]) => ({ key, row }));
    const counted = digestsOf(storedColumns(projection), rows);
    const order = (of: ReadonlyMap<number, unknown>) => [...of].sort(([a], [b]) => a - b);
    const stored = await this.store.digests(generation);
    assertEqual(order(stored), order(counted), "The stored digests are not those of the rows");
  }

  async #life(): Promise<void> {
    const task = (this.#task ??= await this.#begin());
    for (;;) {
      const { rewinds } = task;
      const moved = await this.#pass(task);
      await task.flush();
      if (!moved && task.rewinds === rewinds) return;
    }
  }

  /** Reads each topic from where the task stands to its end, in pieces of odd sizes. */
  async #pass(task: Task): Promise<boolean> {
    let moved = false;
    for (const { name: topic } of topicsOf(this.#options.projection)) {
      const from = new Map<number, Offset>();
      for (const one of task.partitions) {
        if (one.topic === topic && one.active) {
          from.set(one.partition, offset(one.staged.nextOffset));
        }
      }
      if (from.size === 0) continue;
      const { rewinds } = task;
      const fetchBytesMax = 1 + Math.floor(this.#random.next() * 2_000);
      const { signal } = new AbortController();
      for await (const fetch of this.log.read({
        topic,
        from,
        until: "end",
        fetchBytesMax,
        signal,
      })) {
        moved = true;
        await task.accept(fetch);
        if (task.rewinds !== rewinds) break;
        if (this.#random.next() < 0.3) await task.beginFlush();
      }
    }
    return moved;
  }

  async #begin(): Promise<Task> {
    const { projection, codec } = this.#options;
    const random = this.#random;
    const limits = taskLimits({ ...this.#oddLimits(), ...this.#options.limits });
    const generation = await this.store.open(readModelOf(projection));
    const notify = projection.kind === "events" ? projection.notify : undefined;
    if (notify) await codec.prepare(notify.to);
    const store = new ProjectionStore({ projection, generation, store: this.store, codec });
    const { signal } = new AbortController();
    const shared = { store, clock: this.clock, random, signal };
    const pipeline = projectionPipeline(projection, { codec, limits });
    const task = new Task({ ...shared, pipeline, metrics: noMetrics, probe: this, limits });
    const topics = [];
    for (const { name, partitions } of topicsOf(projection)) {
      topics.push(await this.log.ensureTopic({ name, partitions }));
    }
    const { backoff } = limits;
    const claims = new Claims({
      ...shared,
      log: this.log,
      topics,
      deadLetters: undefined,
      backoff,
    });
    const count = topics[0]?.partitions ?? 0;
    await claims.take(
      task,
      Array.from({ length: count }, (_, partition) => partition),
    );
    return task;
  }

  #oddLimits(): Partial<TaskLimits> {
    const upTo = (max: number): number => 1 + Math.floor(this.#random.next() * max);
    return { batchRecordsMax: upTo(40), chunkRecordsMax: upTo(17), hotRowsMax: upTo(8) };
  }
}
