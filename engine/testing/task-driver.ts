import { type CrashPoint, type Probe } from "../crash-points.ts";
import { CrashSignal } from "../error-policy.ts";
import { invariant } from "../errors.ts";
import { ManualClock, SeededRandom } from "../memory/clock.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import { offset, type Offset } from "../position.ts";
import { noMetrics } from "../ports/metrics.ts";
import { Claims } from "../runner/claims.ts";
import type { TaskStore } from "../task/batch.ts";
import { taskLimits, type TaskLimits } from "../task/limits.ts";
import type { Pipeline } from "../task/pipeline.ts";
import { Task } from "../task/task.ts";
import type { AnyTopic } from "../topic.ts";

export interface CrashAt {
  readonly point: CrashPoint;
  /** The how manieth time that the point is passed, from 1, over all lives. */
  readonly visit: number;
}

/** How a task is driven, whatever it runs. */
export interface DriveOptions {
  readonly log?: MemoryRecordLog;
  /** Decides batch borders, flushes and where it crashes. */
  readonly seed?: number;
  /**
   * One step in so many crashes, at random (default 40; 0: never). Also `crashAt` says exactly
   * where, once.
   */
  readonly crashOneIn?: number;
  readonly crashAt?: CrashAt;
  readonly limits?: Partial<TaskLimits>;
  /** A fetch brings at most about so many bytes (default 2,000), in pieces of odd sizes. */
  readonly fetchBytesMax?: number;
}

/** What one life of a process has in its memory for a definition. */
export interface Life {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
}

export interface TaskDriverOptions extends DriveOptions {
  readonly topics: readonly AnyTopic[];
  /** Makes everything anew that dies with a process. */
  readonly begin: (limits: TaskLimits, driver: TaskDriver) => Promise<Life>;
}

/** Partitions come in about so many portions, */
const portions = 5;
/** and so many times a portion goes and comes back. */
const rebalances = 5;

/**
 * Runs a definition's real task on the in-memory log and stores with a clock that stands still:
 * only the I/O is simulated. Its batches have odd borders, partitions come and go while it works,
 * and it crashes now and then; after a crash everything but log and stores is made anew, as after
 * a process' death.
 */
export class TaskDriver implements Probe {
  readonly log: MemoryRecordLog;
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  crashes = 0;
  readonly #options: TaskDriverOptions;
  readonly #visits = new Map<CrashPoint, number>();
  #crashing = false;
  #task: Task | undefined;
  /** Only generations are held. */
  #isHeld = false;
  #claims: Claims | undefined;
  /** Partitions that the assignment has not given to the task yet. */
  #free: number[] = [];

  constructor(options: TaskDriverOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed ?? 1);
    this.log = options.log ?? new MemoryRecordLog();
  }

  /** Crashes where it was asked to, or by chance. */
  at(point: CrashPoint): void {
    if (!this.#crashing) return;
    const { crashAt, crashOneIn = 40 } = this.#options;
    const visit = (this.#visits.get(point) ?? 0) + 1;
    this.#visits.set(point, visit);
    const chosen = crashAt?.point === point && crashAt.visit === visit;
    const byChance = !crashAt && crashOneIn > 0 && this.random.next() * crashOneIn < 1;
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
    await this.#survive(() => this.#life());
  }

  /** Catches up, lets partitions go and come, and gives all back, over any number of crashes. */
  async finish(): Promise<void> {
    await this.#survive(async () => {
      await this.#life();
      this.#assertNoneHalted();
      for (let round = 0; round < rebalances; round += 1) await this.#rebalance();
      await this.task.drain(this.#owned());
      this.#task = undefined;
    });
  }

  #assertNoneHalted(): void {
    for (const { name, state, reason } of this.task.partitions) {
      invariant(state !== "halted", `${this.task.name} has halted on ${name}: ${reason}`);
    }
  }

  async #survive(live: () => Promise<void>): Promise<void> {
    const attemptsMax = 10_000;
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      this.#crashing = true;
      try {
        await live();
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

  /** Those that it has are at work while the next ones come. */
  async #life(): Promise<void> {
    const task = (this.#task ??= await this.#begin());
    while (this.#free.length > 0) {
      await this.#pass(task);
      await this.#claims?.take(task, this.#portion(this.#free));
    }
    for (;;) {
      const { rewinds } = task;
      const moved = await this.#pass(task);
      await task.flush();
      if (!moved && task.rewinds === rewinds) return;
    }
  }

  /** A portion goes, and comes back to work on from where it was left. */
  async #rebalance(): Promise<void> {
    const portion = this.#portion([...this.#owned()]);
    await this.task.drain(new Set(portion));
    this.#free.push(...portion);
    await this.#life();
  }

  #owned(): Set<number> {
    return new Set([...this.task.partitions].map(({ partition }) => partition));
  }

  /** Takes a few numbers out, from anywhere. */
  #portion(from: number[]): number[] {
    const taken: number[] = [];
    const size = Math.ceil((this.#options.topics[0]?.partitions ?? 1) / portions);
    while (from.length > 0 && taken.length < size) {
      taken.push(...from.splice(Math.floor(this.random.next() * from.length), 1));
    }
    return taken;
  }

  /** Reads each topic from where the task stands to its end, in pieces of odd sizes. */
  async #pass(task: Task): Promise<boolean> {
    let moved = false;
    for (const { name: topic } of this.#options.topics) {
      const from = standing(task, topic);
      if (from.size === 0) continue;
      const { rewinds } = task;
      const { fetchBytesMax: most = 2_000 } = this.#options;
      const fetchBytesMax = 1 + Math.floor(this.random.next() * most);
      const { signal } = new AbortController();
      const until = "end";
      for await (const fetch of this.log.read({ topic, from, until, fetchBytesMax, signal })) {
        moved = true;
        await task.accept(fetch);
        if (task.rewinds !== rewinds) break;
        if (this.random.next() < 0.3) await task.beginFlush();
      }
    }
    if (this.#isHeld) await task.standStill();
    return moved;
  }

  async #begin(): Promise<Task> {
    const { topics: definitions } = this.#options;
    const limits = taskLimits({ ...this.#oddLimits(), ...this.#options.limits });
    const { pipeline, store } = await this.#options.begin(limits, this);
    this.#isHeld = pipeline.kind === "projection";
    const { signal } = new AbortController();
    const shared = { store, clock: this.clock, random: this.random, signal };
    const task = new Task({ ...shared, pipeline, metrics: noMetrics, probe: this, limits });
    const topics = [];
    for (const { name, partitions } of definitions) {
      topics.push(await this.log.ensureTopic({ name, partitions }));
    }
    const { backoff } = limits;
    const { log } = this;
    this.#claims = new Claims({ ...shared, log, topics, deadLetters: undefined, backoff });
    const count = topics[0]?.partitions ?? 0;
    this.#free = Array.from({ length: count }, (_, partition) => partition);
    return task;
  }

  #oddLimits(): Partial<TaskLimits> {
    const upTo = (max: number): number => 1 + Math.floor(this.random.next() * max);
    return { batchRecordsMax: upTo(40), chunkRecordsMax: upTo(17), hotRowsMax: upTo(8) };
  }
}

/** Where a task goes on in a topic, by the partitions that it works on. */
function standing(task: Task, topic: string): Map<number, Offset> {
  const from = new Map<number, Offset>();
  for (const one of task.partitions) {
    if (one.topic !== topic || !one.active) continue;
    from.set(one.partition, offset(one.staged.nextOffset));
  }
  return from;
}
