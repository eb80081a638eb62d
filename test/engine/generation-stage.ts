import { expect, onTestFinished } from "vitest";

import { digestsOf } from "../../engine/digest.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { MemoryComparisons } from "../../engine/memory/comparisons.ts";
import { MemoryGenerations } from "../../engine/memory/generations.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { Assignment } from "../../engine/ports/assignment.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { Comparisons } from "../../engine/ports/comparisons.ts";
import type { Generations, HealOutcome, SwapVerdict } from "../../engine/ports/generations.ts";
import type { Generation, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import type { RowAsk, RowSource } from "../../engine/ports/row-source.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { type Cuts, placeOf } from "../../engine/replay/cuts.ts";
import { Replay } from "../../engine/replay/replay.ts";
import type { RunOptions } from "../../engine/runner/options.ts";
import { run } from "../../engine/runner/run.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { realClock, realRandom, until } from "./process.ts";
import { board, counters, notes } from "./seats.ts";

/** Nothing is looked at because time has passed: only what is told wakes anybody. */
const woken: Clock = {
  ...realClock,
  sleep: (_ms, signal) =>
    new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
};

const never = new AbortController().signal;

/** What a system's processes share. */
export interface StageParts {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly generations: Generations;
  readonly comparisons: Comparisons;
  readonly assignment: Assignment;
}

/** Generations of one system, and the processes that work on them. */
export class GenerationStage {
  readonly log: RecordLog;
  readonly store: ReadModelStore;
  readonly generations: Generations;
  readonly comparisons: Comparisons;
  readonly assignment: Assignment;
  readonly codec = new JsonCodec();
  readonly journal: Journal;
  readonly events: GivenEvent[] = [];

  constructor({ log, store, generations, comparisons, assignment }: StageParts) {
    this.log = log;
    this.store = store;
    this.generations = generations;
    this.comparisons = comparisons;
    this.assignment = assignment;
    this.journal = new Journal({ log, codec: this.codec });
  }

  /** With topics, and a history that nobody has read yet. */
  async begin(events: readonly GivenEvent[] = []): Promise<this> {
    for (const topic of [counters, notes]) await this.journal.open(topic);
    await this.append(events);
    return this;
  }

  async append(events: readonly GivenEvent[]): Promise<void> {
    this.events.push(...events);
    await this.journal.append(counters, events);
  }

  /** One process more. */
  async run(options: Partial<RunOptions> = {}): Promise<Runner> {
    const runner = await run({
      projections: [board],
      log: this.log,
      readModels: this.store,
      generations: this.generations,
      assignment: this.assignment,
      codec: this.codec,
      clock: realClock,
      random: realRandom,
      observeIntervalMs: 5,
      ...options,
      limits: {
        lingerMs: 1,
        batchRecordsMax: 7,
        chunkRecordsMax: 5,
        backoff: { initialMs: 1, maxMs: 2, attemptsMax: 4 },
        ...options.limits,
      },
    });
    // One that a test has let die says so again; whoever wants to know watches it.
    onTestFinished(() => runner.stop().catch(() => undefined));
    return runner;
  }

  /** What heals need. */
  healing(): NonNullable<RunOptions["heal"]> {
    return { rows: this.rowSource(), comparisons: this.comparisons };
  }

  /** A row as a replay of everything makes it. */
  rowSource(projection: AnyProjection = board): RowSource {
    return {
      rowAt: async ({ key, at }: RowAsk) => {
        const cuts = new Map(at.map((one) => [placeOf(one), one.position.nextOffset]));
        const store = new MemoryReadModelStore();
        const generation = await store.open(readModelOf(projection));
        await this.#fold(projection, { store, generation, cuts });
        return (await store.load(generation, [key])).get(key);
      },
    };
  }

  /** Durable up to here, by partition. */
  async cuts(of: Pick<Generation, "projection" | "generation">): Promise<Cuts> {
    const standing = await this.store.positions({ ...of, version: 1, serving: true });
    return new Map(
      standing.flatMap((one) => (one.position ? [[placeOf(one), one.position.nextOffset]] : [])),
    );
  }

  async shadow(projection: AnyProjection = board): Promise<Generation> {
    return this.generations.create(readModelOf(projection), {}, 1n);
  }

  /** As a rebuild does it: holds what serves, brings the shadow to exactly there, moves the pointer. */
  async swap(shadow: Generation, projection: AnyProjection = board): Promise<SwapVerdict> {
    const from = await this.serving(projection.name);
    const hold = await this.generations.hold(
      { projection: projection.name, generation: from },
      4_000,
    );
    try {
      await this.allStand(hold);
      const cuts = await this.cuts({ projection: projection.name, generation: from });
      await this.#fold(projection, { store: this.store, generation: shadow, cuts });
      const condition = "level";
      const to = shadow.generation;
      const swap = { projection: projection.name, from, to, condition, keepMs: 60_000 } as const;
      return await this.generations.swap(swap);
    } finally {
      await this.generations.release(hold);
    }
  }

  async serving(projection = board.name): Promise<number> {
    const all = await this.generations.list(projection);
    return all.find(({ role }) => role === "serving")?.generation ?? 0;
  }

  /** Holds a generation, and waits until all its partitions stand. */
  async heldStill(generation: number, forMs = 4_000): Promise<bigint> {
    const hold = await this.generations.hold({ projection: board.name, generation }, forMs);
    await this.allStand(hold);
    return hold;
  }

  async allStand(hold: bigint): Promise<void> {
    await until("all partitions stand", async () => {
      return (await this.generations.standing(hold)).length === counters.partitions;
    });
  }

  async applied(generation: number, projection: AnyProjection = board): Promise<boolean> {
    const cuts = await this.cuts({ projection: projection.name, generation });
    const topics = projection.kind === "events" ? projection.from : [];
    for (const { name: topic } of topics) {
      for (const { partition, end } of await this.log.bounds(topic)) {
        if ((cuts.get(placeOf({ topic, partition })) ?? 0n) < end) return false;
      }
    }
    return true;
  }

  async rows(generation: number): Promise<Map<string, unknown>> {
    const rows = new Map<string, unknown>();
    const of = { projection: board.name, generation, version: 1, serving: true };
    for await (const page of this.store.scan(of))
      for (const { key, row } of page) rows.set(key, row);
    return rows;
  }

  /** Everything is applied, once: rows are those of an independent fold, digests those of the rows. */
  async assertTrue(generation: number, projection: typeof board = board): Promise<void> {
    await until(`generation ${generation} has everything`, () =>
      this.applied(generation, projection),
    );
    expect(await this.rows(generation)).toEqual(foldAll(projection, this.events));
    await this.assertDigests(generation, projection);
  }

  async assertDigests(generation: number, projection: AnyProjection = board): Promise<void> {
    const of = { projection: board.name, generation, version: 1, serving: true };
    const rows = [...(await this.rows(generation))].map(([key, row]) => ({
      key,
      row: row as never,
    }));
    expect(await this.store.digests(of)).toEqual(digestsOf(storedColumns(projection), rows));
  }

  /** Asks for a heal and waits for the answer. */
  async heal(key: string, generation = 1): Promise<HealOutcome> {
    const id = await this.generations.askHeal({ projection: board.name, generation, key });
    let outcome: HealOutcome | undefined;
    await until(`the heal of ${key} is answered`, async () => {
      outcome = await this.generations.healOutcome(id);
      return outcome !== undefined;
    });
    return outcome as HealOutcome;
  }

  async #fold(
    projection: AnyProjection,
    to: { store: ReadModelStore; generation: Generation; cuts: Cuts },
  ): Promise<void> {
    const { log, codec } = this;
    const shared = { log, codec, clock: realClock, random: realRandom, consumer: "shadow" };
    await using replay = await Replay.begin({ projection, ...shared, ...to });
    await replay.to(to.cuts, { signal: never });
  }
}

export const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, at) => ((at + from) * 7919) % 1009);

/** Appends small portions, one after the other, until it is told to end. */
export function traffic(stage: GenerationStage, portion: (at: number) => readonly GivenEvent[]) {
  const ending = new AbortController();
  const flow = (async () => {
    for (let at = 1_000; !ending.signal.aborted; at += 5) {
      await stage.append(portion(at));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const end = async (): Promise<void> => {
    ending.abort();
    await flow;
  };
  return { end };
}

/** All in memory, where a test's own hand reaches everything. */
export class MemoryStage extends GenerationStage {
  declare readonly store: MemoryReadModelStore;
  declare readonly generations: MemoryGenerations;

  constructor(store: MemoryReadModelStore = new MemoryReadModelStore(), clock = woken) {
    super({
      log: new MemoryRecordLog(),
      store,
      generations: new MemoryGenerations({ store, clock }),
      comparisons: new MemoryComparisons({ store, pageRows: 2 }),
      assignment: new MemoryAssignment(),
    });
  }

  static open(events: readonly GivenEvent[] = []): Promise<MemoryStage> {
    return new MemoryStage().begin(events);
  }
}

/** Generations whose holds can't be asked for while `away`. */
export function withOutages(generations: Generations): Generations & { away: boolean } {
  const state = { away: false };
  return new Proxy(generations as Generations & { away: boolean }, {
    get: (target, name) => {
      if (name === "away") return state.away;
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (state.away && name === "holds") return () => Promise.reject(new Error("away"));
      return member.bind(target) as unknown;
    },
    set: (_, name, value: boolean) => {
      if (name === "away") state.away = value;
      return true;
    },
  });
}
