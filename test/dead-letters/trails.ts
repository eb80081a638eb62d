import { text } from "../../engine/columns.ts";
import type { Probe } from "../../engine/crash-points.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { ManualClock, SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { partitionOf } from "../../engine/partitioner.ts";
import { offset, type Offset } from "../../engine/position.ts";
import type {
  DeadLetters,
  LetterAction,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { PartitionAppend } from "../../engine/ports/record-log.ts";
import { defineProjection } from "../../engine/projection.ts";
import { Claims } from "../../engine/runner/claims.ts";
import { taskLimits, type TaskLimits } from "../../engine/task/limits.ts";
import { projectionPipeline } from "../../engine/task/pipeline.ts";
import { ProjectionStore, readModelOf } from "../../engine/task/projection-store.ts";
import { Task } from "../../engine/task/task.ts";
import { happened } from "../../engine/testing/given.ts";
import { JsonCodec, Journal } from "../../engine/testing/index.ts";
import { counters, Moved } from "../engine/seats.ts";

/** The fold throws for it until it is mended. */
export const breaking = 13;
/** Its value can't be decoded, now or ever. */
export const garbled = 99;

/** A read model that tells in which order its records were applied. */
export function trailsProjection(fold: { mended: boolean }) {
  return defineProjection({
    name: "trails",
    version: 1,
    from: counters,
    row: { trail: text() },
    key: "code",
    onRecordError: "park",
    on: {
      Opened: "ignore",
      Moved: (row, e) => {
        if (e.by === breaking && !fold.mended) throw new RangeError("Thirteen is not understood.");
        return { trail: `${row?.trail ?? ""} ${e.by}` };
      },
      Closed: "ignore",
    },
  });
}

interface Written {
  readonly code: string;
  readonly by: number;
  readonly partition: number;
  readonly offset: number;
}

export interface TrailsOptions {
  readonly deadLetters: DeadLetters;
  readonly store: ReadModelStore;
  readonly seed: number;
  /** One step in so many crashes; 0: never. */
  readonly crashOneIn: number;
  readonly limits?: Partial<TaskLimits>;
  readonly metrics?: Metrics;
}

/** Drives one task over records of which some can't be used, and over any number of crashes. */
export class Trails implements Probe {
  readonly fold = { mended: false };
  readonly projection = trailsProjection(this.fold);
  readonly log = new MemoryRecordLog();
  readonly written: Written[] = [];
  crashes = 0;
  readonly #options: TrailsOptions;
  readonly #random: SeededRandom;
  readonly #codec = new JsonCodec();
  readonly #journal = new Journal({ log: this.log, codec: this.#codec });
  readonly #ends = new Map<number, number>();
  #task: Task | undefined;
  #crashing = false;

  constructor(options: TrailsOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  at(point: string): void {
    const { crashOneIn } = this.#options;
    if (!this.#crashing || crashOneIn === 0 || this.#random.next() * crashOneIn >= 1) return;
    this.crashes += 1;
    throw new CrashSignal(point);
  }

  async open(): Promise<void> {
    await this.#journal.open(counters);
  }

  async append(moves: readonly { readonly code: string; readonly by: number }[]): Promise<void> {
    const appends = new Map<number, PartitionAppend>();
    for (const { code, by } of moves) {
      const partition = partitionOf(code, counters.partitions);
      const [append] = this.#journal.encode(counters, [happened(Moved, { code, by })]);
      if (!append) throw new Error("One event makes one append.");
      const value = (of: Uint8Array | null) => (by === garbled ? Buffer.from([7, 7]) : of);
      const records = append.records.map((one) => ({ ...one, value: value(one.value) }));
      const before = appends.get(partition)?.records ?? [];
      appends.set(partition, { ...append, records: [...before, ...records] });
      const at = this.#ends.get(partition) ?? 0;
      this.#ends.set(partition, at + 1);
      this.written.push({ code, by, partition, offset: at });
    }
    await this.log.append([...appends.values()]);
  }

  /** Works until everything is durable and everything that was asked for is answered. */
  async work(): Promise<void> {
    for (let life = 0; life < 5_000; life += 1) {
      this.#crashing = true;
      try {
        await this.#live();
        return;
      } catch (error) {
        if (!(error instanceof CrashSignal)) throw error;
        this.#task = undefined;
      } finally {
        this.#crashing = false;
      }
    }
    throw new Error("It crashed 5,000 times without getting anywhere.");
  }

  /** Asks for one of the failed letters, whichever the number means; for none where there is none. */
  async ask(action: LetterAction, which: number): Promise<void> {
    const failed = await this.letters("failed");
    const letter = failed[which % Math.max(1, failed.length)];
    if (!letter) return;
    const reason = action === "redrive" ? undefined : "A test.";
    const letters = { id: letter.id };
    await this.#options.deadLetters.order({ letters, action, by: "a test", reason });
  }

  async letters(
    disposition: "failed" | "waiting" | "redriven" | "discarded",
  ): Promise<readonly StoredDeadLetter[]> {
    return this.#options.deadLetters.list({ disposition, limit: 10_000 });
  }

  /** Mends the fold and settles every letter there is: what never works is discarded. */
  async settleAll(): Promise<void> {
    this.fold.mended = true;
    for (let round = 0; round < 1_000; round += 1) {
      await this.work();
      const failed = await this.letters("failed");
      if (failed.length === 0) return;
      for (const { id, cause } of failed) {
        const action = cause === "unframed" ? "discard" : "redrive";
        const reason = action === "discard" ? "It never works." : undefined;
        const order = { letters: { id }, action, by: "a test", reason } as const;
        await this.#options.deadLetters.order(order);
      }
    }
    throw new Error("Letters are left after 1,000 rounds.");
  }

  async rows(): Promise<Map<string, string>> {
    const generation = await this.#options.store.open(readModelOf(this.projection));
    const rows = new Map<string, string>();
    for await (const page of this.#options.store.scan(generation)) {
      for (const { key, row } of page) rows.set(key, String(row["trail"]));
    }
    return rows;
  }

  /** Every record in its key's order, those left out that are letters of these dispositions. */
  async expected(without: readonly ("failed" | "waiting" | "discarded")[]) {
    const out = new Set<string>();
    for (const disposition of without) {
      for (const letter of await this.letters(disposition)) {
        out.add(`${letter.partition}@${letter.offset}`);
      }
    }
    const rows = new Map<string, string>();
    for (const { code, by, partition, offset: at } of this.written) {
      if (out.has(`${partition}@${at}`)) continue;
      rows.set(code, `${rows.get(code) ?? ""} ${by}`);
    }
    return rows;
  }

  get task(): Task {
    if (!this.#task) throw new Error("Nothing was run yet.");
    return this.#task;
  }

  async #live(): Promise<void> {
    const task = (this.#task ??= await this.#begin());
    for (let moved = true; moved;) {
      moved = await this.#pass(task);
      await task.flush();
      const asked = await this.#options.deadLetters.asked(3);
      if (asked.length === 0) continue;
      moved = true;
      await task.settle(asked);
    }
  }

  async #pass(task: Task): Promise<boolean> {
    const from = new Map<number, Offset>();
    for (const one of task.partitions) {
      if (one.active) from.set(one.partition, offset(one.staged.nextOffset));
    }
    if (from.size === 0) return false;
    let moved = false;
    const fetchBytesMax = 1 + Math.floor(this.#random.next() * 900);
    const { signal } = new AbortController();
    const read = { topic: counters.name, from, until: "end", fetchBytesMax, signal } as const;
    for await (const fetch of this.log.read(read)) {
      moved = true;
      await task.accept(fetch);
      if (this.#random.next() < 0.3) await task.beginFlush();
    }
    return moved;
  }

  async #begin(): Promise<Task> {
    const { projection } = this;
    const { deadLetters, store: readModels, metrics = noMetrics } = this.#options;
    const upTo = (max: number): number => 1 + Math.floor(this.#random.next() * max);
    const odd = { batchRecordsMax: upTo(20), chunkRecordsMax: upTo(7), hotRowsMax: upTo(4) };
    const limits = taskLimits({ ...odd, ...this.#options.limits });
    const generation = await readModels.open(readModelOf(projection));
    const codec = this.#codec;
    const store = new ProjectionStore({ projection, generation, store: readModels, codec });
    const number = generation.generation;
    const pipeline = projectionPipeline(projection, { codec, limits, generation: number });
    const { signal } = new AbortController();
    const clock = new ManualClock();
    const shared = { store, clock, random: this.#random, signal, deadLetters };
    const task = new Task({ ...shared, pipeline, metrics, probe: this, limits });
    const { name, partitions } = counters;
    const topics = [await this.log.ensureTopic({ name, partitions })];
    const claims = new Claims({ ...shared, log: this.log, topics, backoff: limits.backoff });
    await claims.take(
      task,
      Array.from({ length: partitions }, (_, at) => at),
    );
    return task;
  }
}
