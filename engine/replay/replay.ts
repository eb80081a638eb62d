import { noProbe, type Probe } from "../crash-points.ts";
import { FatalError, FencedError, TransientError } from "../errors.ts";
import { offset, type Offset } from "../position.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import { type Metrics, noMetrics } from "../ports/metrics.ts";
import type { Generation, ReadModelStore } from "../ports/read-model-store.ts";
import type { Fetch, RecordLog, TopicInfo } from "../ports/record-log.ts";
import type { AnyProjection } from "../projection.ts";
import { Claims } from "../runner/claims.ts";
import { projectionLimits, taskLimits, type TaskLimits } from "../task/limits.ts";
import { projectionPipeline, topicsOf } from "../task/pipeline.ts";
import { ProjectionStore } from "../task/projection-store.ts";
import { Task } from "../task/task.ts";
import type { TaskPartition } from "../task/task-partition.ts";
import { type Cuts, cutOf, cutTo } from "./cuts.ts";
import type { EditedValues } from "./letters.ts";

/** Large flushes: nobody waits for the rows of a replay. */
const replayLimits: Partial<TaskLimits> = { ...projectionLimits, batchRowsMax: 50_000 };

export interface ReplayOptions {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  readonly store: ReadModelStore;
  readonly log: Pick<RecordLog, "topics" | "bounds" | "read">;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly random: Random;
  /** Names the replay's share of the task's metrics: never the projection's own. */
  readonly consumer: string;
  readonly metrics?: Metrics;
  readonly limits?: Partial<TaskLimits>;
  /** Records that operators have left out, by `<topic>/<partition>`: they are passed over. */
  readonly discarded?: ReadonlyMap<string, ReadonlySet<number>>;
  /** Values that were applied in place of records' own, by offset in `<topic>/<partition>`. */
  readonly edited?: EditedValues;
  /** See `PipelineOptions`: a replay of one row's records. */
  readonly onlyKey?: Uint8Array | undefined;
  readonly fetchBytesMax?: number;
  readonly probe?: Probe;
}

export interface ReplayTo {
  readonly signal: AbortSignal;
  /**
   * Called before each fetch is folded, with the offsets that it moves on: where other work comes
   * first, it waits.
   */
  readonly pace?: (offsets: number) => Promise<void>;
}

/**
 * Folds the log into one generation with a reader of its own: no group, no assignment, all
 * partitions in this process. It emits nothing, and it stops wherever it is told to, exactly.
 *
 * The same task as ever folds and flushes, so that what is built is what live work would have
 * built; epochs fence out a replay of the same generation that was thought dead. A record that can't
 * be folded stops it: nothing is set aside.
 */
export class Replay implements AsyncDisposable {
  readonly #options: ReplayOptions;
  readonly #task: Task;
  readonly #ending: AbortController;

  private constructor(options: ReplayOptions, task: Task, ending: AbortController) {
    this.#options = options;
    this.#task = task;
    this.#ending = ending;
  }

  /**
   * Claims all partitions of the generation.
   *
   * @throws FatalError `topic-unknown`, or `replay-halted` with the reason: `log-replaced`,
   * `out-of-range` (retention has overtaken it).
   */
  static async begin(options: ReplayOptions): Promise<Replay> {
    const { generation, store, codec, clock, random, log } = options;
    const { metrics = noMetrics, probe = noProbe, consumer, discarded, edited } = options;
    const ending = new AbortController();
    const { signal } = ending;
    const limits = taskLimits({ ...replayLimits, ...options.limits });
    // A notice is told by what serves, and a record set aside would be proved equal to nothing.
    const projection = { ...silent(options.projection), onRecordError: "halt" } as AnyProjection;
    const made = projectionPipeline(projection, {
      codec,
      limits,
      generation: generation.generation,
      onlyKey: options.onlyKey,
    });
    const pipeline = { ...made, name: consumer };
    const shared = { clock, random, signal };
    const taskStore = new ProjectionStore({ projection, generation, store, codec });
    const task = new Task({ ...shared, pipeline, store: taskStore, metrics, probe, limits });
    const topics = await topicsIn(log, projection);
    const { backoff } = limits;
    const claims = new Claims({
      ...shared,
      store: taskStore,
      log,
      topics,
      deadLetters: undefined,
      backoff,
      ...(discarded ? { discarded } : {}),
      ...(edited ? { edited } : {}),
    });
    const partitions = topics[0]?.partitions ?? 0;
    await claims.take(
      task,
      Array.from({ length: partitions }, (_, at) => at),
    );
    const replay = new Replay(options, task, ending);
    replay.#assertNoneHalted();
    return replay;
  }

  /** Where each partition stands: everything before is durable. */
  positions(): Cuts {
    const at = new Map<string, Offset>();
    for (const one of this.#task.partitions) at.set(one.name, offset(one.staged.nextOffset));
    return at;
  }

  /** Records folded or dropped since it began. */
  get records(): number {
    let records = 0;
    for (const partition of this.#task.partitions) records += partition.records;
    return records;
  }

  /**
   * Folds up to these offsets, and not one record further; partitions that stand there or beyond, or
   * that aren't named, stay. What it resolves with is durable. An aborted signal ends it between two
   * fetches, flushed, short of the cuts.
   *
   * @throws FatalError `replay-halted`, naming the record that can't be folded; FencedError when
   * another replay has this generation; TransientError when store or log stay away.
   */
  async to(cuts: Cuts, how: ReplayTo): Promise<void> {
    const task = this.#task;
    for (const { name } of topicsOf(this.#options.projection)) await this.#topic(name, cuts, how);
    await task.flush();
    this.#assertNoneHalted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    // A flush on its way would be met by nobody.
    await this.#task.settled().catch(() => undefined);
  }

  async #topic(topic: string, cuts: Cuts, { signal, pace }: ReplayTo): Promise<void> {
    const from = this.#behind(topic, cuts);
    if (from.size === 0 || signal.aborted) return;
    const { log, fetchBytesMax = 1024 * 1024 } = this.#options;
    const stop = new AbortController();
    const fetches = log.read({
      topic,
      from,
      until: "end",
      fetchBytesMax,
      signal: AbortSignal.any([signal, this.#ending.signal, stop.signal]),
    });
    try {
      for await (const fetch of readAhead(fetches)) {
        const wanted = cutTo(fetch, cuts);
        await pace?.(this.#offsetsIn(wanted));
        if (signal.aborted) return;
        await this.#accept(wanted);
        if (this.#behind(topic, cuts).size === 0) return;
      }
    } finally {
      stop.abort();
    }
  }

  async #accept(fetch: Fetch): Promise<void> {
    const { rewinds } = this.#task;
    await this.#task.accept(fetch);
    this.#assertNoneHalted();
    if (this.#task.rewinds === rewinds) return;
    // What was folded is void: whoever called begins again from what is durable.
    throw new TransientError("replay-rewound", "A flush of the replay had to be given up.");
  }

  #offsetsIn({ topic, partitions }: Fetch): number {
    let offsets = 0;
    for (const one of this.#task.partitions) {
      if (one.topic !== topic) continue;
      const found = partitions.find(({ partition }) => partition === one.partition);
      if (found) offsets += Math.max(0, Number(found.nextOffset) - one.staged.nextOffset);
    }
    return offsets;
  }

  #behind(topic: string, cuts: Cuts): Map<number, Offset> {
    const behind = new Map<number, Offset>();
    for (const one of this.#task.partitions) {
      const cut = cutOf(cuts, one);
      if (one.topic !== topic || cut === undefined) continue;
      const next = offset(one.staged.nextOffset);
      if (next < cut) behind.set(one.partition, next);
    }
    return behind;
  }

  /** Fenced partitions are gone from the task; halted ones say why. */
  #assertNoneHalted(): void {
    const { projection, generation } = this.#options;
    const all = [...this.#task.partitions];
    const halted = all.find(({ state }) => state === "halted");
    if (halted) throw replayHalted(halted, generation);
    const topics = topicsOf(projection);
    if (all.length < topics.reduce((sum, { partitions }) => sum + partitions, 0)) {
      throw new FencedError(
        [],
        `Another replay fills generation ${generation.generation} of ${projection.name}.`,
      );
    }
  }
}

function silent(projection: AnyProjection): AnyProjection {
  const { notify: _, ...rest } = projection;
  return rest;
}

function replayHalted(
  { name, reason, recovery }: TaskPartition,
  { projection, generation }: Generation,
): Error {
  const message = `Generation ${generation} of ${projection} stopped in ${name}: ${reason}`;
  if (recovery === "time") return new TransientError("replay-halted", message);
  return new FatalError("replay-halted", message, "Mend the definition or the record's source.");
}

async function topicsIn(
  log: Pick<RecordLog, "topics">,
  projection: AnyProjection,
): Promise<TopicInfo[]> {
  const known = await log.topics();
  return topicsOf(projection).map(({ name }) => {
    const found = known.find((topic) => topic.name === name);
    if (found) return found;
    const message = `${projection.name} reads ${name}, and the log has no such topic.`;
    throw new FatalError("topic-unknown", message, "Start the system once, which makes it.");
  });
}

/** The next one is on its way while one is folded. */
async function* readAhead(fetches: AsyncIterable<Fetch>): AsyncIterable<Fetch> {
  const iterator = fetches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = iterator.next();
      // Whoever takes it meets its failure.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
