import type { AnyRow } from "../../engine/columns.ts";
import { digestsOf } from "../../engine/digest.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryComparisons } from "../../engine/memory/comparisons.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRebuilds } from "../../engine/memory/rebuilds.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { MemorySnapshots } from "../../engine/memory/snapshots.ts";
import { MemoryStatusBoard } from "../../engine/memory/status-board.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import type { DifferenceSink } from "../../engine/ports/difference-sink.ts";
import type { GenerationInfo } from "../../engine/ports/generations.ts";
import type { RebuildRecord, RebuildRequest } from "../../engine/ports/rebuilds.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import type { RebuildCrashPoint, RebuildProbe } from "../../engine/rebuild/crash-points.ts";
import type { RebuildEnvironment, RebuildLimits } from "../../engine/rebuild/options.ts";
import type { DifferingRow } from "../../engine/rebuild/row-differences.ts";
import { workedOnByBoard } from "../../engine/rebuild/worked-on.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import type { GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/journal.ts";
import type { EventTopic } from "../../engine/topic.ts";
import { changes, counters, notes } from "../engine/seats.ts";
import { FastClock } from "./fast-clock.ts";

/** Small steps, so that a short history has many of them. */
const smallLimits: Partial<RebuildLimits> = {
  closeRecordsMax: 3,
  fetchBytesMax: 500,
  progressMs: 50,
  followMs: 100,
  patienceMs: 2_000,
};

const conductMaxMs = 3_600_000;

export interface CrashPlan {
  /** Asked at every boundary. */
  readonly crashes: (point: RebuildCrashPoint) => boolean;
}

/** A whole system in memory, with time that jumps: log, stores, the real runner. */
export class RebuildStage implements AsyncDisposable {
  readonly clock = new FastClock();
  readonly log = new MemoryRecordLog();
  readonly codec = new JsonCodec();
  readonly journal = new Journal({ log: this.log, codec: this.codec });
  readonly deadLetters = new MemoryDeadLetters({ nowMs: () => this.clock.nowMs() });
  readonly notices: NewEvent[] = [];
  readonly readModels = new MemoryReadModelStore({
    deadLetters: this.deadLetters,
    onNotices: (told) => void this.notices.push(...told),
    scanPageRows: 3,
  });
  readonly snapshots = new MemorySnapshots({ store: this.readModels, clock: this.clock });
  readonly generations = new MemoryGenerations({
    store: this.readModels,
    clock: this.clock,
    snapshots: this.snapshots,
  });
  readonly rebuilds = new MemoryRebuilds({ generations: this.generations, clock: this.clock });
  readonly comparisons = new MemoryComparisons({ store: this.readModels, pageRows: 2 });
  readonly board = new MemoryStatusBoard({ nowMs: () => this.clock.nowMs() });
  readonly random: SeededRandom;
  readonly events: GivenEvent[] = [];
  /** All differing rows of the last proof. */
  differing: DifferingRow[] = [];
  crashes = 0;
  readonly #assignment = new MemoryAssignment();
  readonly #workers: Runner[] = [];
  readonly #closing = new AbortController();
  #conductors = 0;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  async open(): Promise<this> {
    for (const topic of [counters, notes, changes]) await this.journal.open(topic);
    return this;
  }

  /** Appends events to their topics, in batches of odd sizes. */
  async append(events: readonly GivenEvent[]): Promise<void> {
    for (let at = 0; at < events.length;) {
      const some = events.slice(at, at + 1 + Math.floor(this.random.next() * 12));
      at += some.length;
      this.events.push(...some);
      for (const topic of [counters, notes] as readonly EventTopic[]) {
        const own = some.filter(({ type }) => topic.events.some(({ name }) => name === type.name));
        if (own.length > 0) await this.journal.append(topic, own);
      }
    }
  }

  /** A process that works on what serves and what is kept. */
  async work(projections: readonly AnyProjection[]): Promise<Runner> {
    const { log, readModels, codec, clock, random, deadLetters, generations, board } = this;
    const runner = await run({
      projections,
      log,
      readModels,
      codec,
      clock,
      random,
      deadLetters,
      generations,
      statusBoard: board,
      assignment: this.#assignment,
      limits: { batchRecordsMax: 7, chunkRecordsMax: 4, hotRowsMax: 5 },
      fetchBytesMax: 700,
      observeIntervalMs: 200,
    });
    this.#workers.push(runner);
    return runner;
  }

  /** The one that came first. */
  async stopWorker(): Promise<void> {
    await this.#workers.shift()?.[Symbol.asyncDispose]();
  }

  async stopWorkers(): Promise<void> {
    for (const runner of this.#workers.splice(0)) await runner[Symbol.asyncDispose]();
    // What they reported is forgotten as they are.
    await this.clock.sleep(3_000);
  }

  environment(over: Partial<RebuildEnvironment> = {}): RebuildEnvironment {
    const { log, readModels, codec, clock, random, deadLetters, generations } = this;
    const { rebuilds, comparisons, snapshots, board } = this;
    const stores = { rebuilds, generations, comparisons, snapshots, readModels, log, deadLetters };
    this.#conductors += 1;
    return {
      ...stores,
      codec,
      clock,
      random,
      instance: `conductor-${this.#conductors}`,
      codeVersion: "test",
      isWorkedOn: workedOnByBoard({ board, clock, silentMs: 2_000 }),
      openDifferences: async () => this.#sink(),
      limits: smallLimits,
      ...over,
    };
  }

  request(projection: AnyProjection, over: Partial<RebuildRequest> = {}): RebuildRequest {
    return {
      projection: projection.name,
      version: projection.version,
      from: { kind: "earliest" },
      accept: false,
      lagBudgetMs: 2_000,
      keepMs: 60_000,
      by: "test",
      reason: undefined,
      ...over,
    };
  }

  async start(projection: AnyProjection, over: Partial<RebuildRequest> = {}): Promise<bigint> {
    const started = await this.rebuilds.start(this.request(projection, over));
    if (started.outcome !== "started") throw new Error(`It didn't start: ${started.outcome}.`);
    return started.record.id;
  }

  /** Conducts a rebuild; whoever crashes is followed by another. */
  async conduct(
    projection: AnyProjection,
    id: bigint,
    plan: CrashPlan = { crashes: () => false },
  ): Promise<RebuildRecord> {
    const probe: RebuildProbe = {
      at: (point) => {
        if (!plan.crashes(point)) return;
        this.crashes += 1;
        throw new CrashSignal(point);
      },
    };
    const ending = new AbortController();
    const { signal } = ending;
    // One that gets nowhere is looked at as it is then.
    void this.clock.sleep(conductMaxMs, this.#closing.signal).then(() => ending.abort());
    for (;;) {
      const conductor = new Conductor({ environment: this.environment({ probe }), projection });
      try {
        const record = await conductor.conduct(id, signal);
        if (record !== undefined) return record;
      } catch (error) {
        if (!(error instanceof CrashSignal)) throw error;
      }
      // The lease of who died has to run out.
      await this.clock.sleep(1_000);
    }
  }

  async serving({ name }: AnyProjection): Promise<GenerationInfo> {
    const builds = await this.generations.list(name);
    const serving = builds.filter(({ role }) => role === "serving");
    if (serving.length !== 1) throw new Error(`${serving.length} generations serve.`);
    return serving[0] as GenerationInfo;
  }

  async rowsOf(generation: GenerationInfo): Promise<Map<string, AnyRow>> {
    const rows = new Map<string, AnyRow>();
    for await (const page of this.readModels.scan(generation)) {
      for (const { key, row } of page) rows.set(key, row);
    }
    return rows;
  }

  /** Stored and counted digests of a generation. */
  async digests(generation: GenerationInfo) {
    const rows = [...(await this.rowsOf(generation))].map(([key, row]) => ({ key, row }));
    const inOrder = (of: ReadonlyMap<number, unknown>) => [...of].sort(([a], [b]) => a - b);
    return {
      stored: inOrder(await this.readModels.digests(generation)),
      counted: inOrder(digestsOf(generation.columns, rows)),
    };
  }

  /** Until all workers have applied everything, in every generation that is kept current, and say so. */
  async caughtUp(projection: AnyProjection): Promise<void> {
    const { isWorkedOn } = this.environment();
    await this.until(`${projection.name} is worked on`, async () =>
      isWorkedOn(await this.serving(projection)),
    );
    await this.until(`${projection.name} has caught up`, async () => {
      for (const one of await this.generations.list(projection.name)) {
        if (one.version !== projection.version) continue;
        if (one.role !== "serving" && one.role !== "kept") continue;
        for (const { topic, partition, position } of await this.readModels.positions(one)) {
          const end = (await this.log.bounds(topic))[partition]?.end ?? 0n;
          if ((position?.nextOffset ?? 0n) < end) return false;
        }
      }
      return true;
    });
  }

  /** By the stage's own clock: a condition that doesn't come fails after ten of its minutes. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const untilMs = this.clock.monotonicMs() + 600_000;
    while (!(await holds())) {
      if (this.clock.monotonicMs() > untilMs) throw new Error(`It didn't come: ${what}.`);
      await this.clock.sleep(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.stopWorkers();
  }

  #sink(): DifferenceSink {
    this.differing = [];
    return {
      write: async (rows) => void this.differing.push(...rows),
      close: async () => (this.differing.length > 0 ? "differing rows" : undefined),
      discard: async () => void (this.differing = []),
    };
  }
}
