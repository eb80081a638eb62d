import type { AnyRow } from "../columns.ts";
import { digestsOf } from "../digest.ts";
import { MemoryReadModelStore } from "../memory/read-model-store.ts";
import type { MemoryRecordLog } from "../memory/record-log.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { ReadModelStore } from "../ports/read-model-store.ts";
import type { AnyProjection } from "../projection.ts";
import type { TaskLimits } from "../task/limits.ts";
import { projectionPipeline, storedColumns, topicsOf } from "../task/pipeline.ts";
import { ProjectionStore, readModelOf } from "../task/projection-store.ts";
import type { Task } from "../task/task.ts";
import { assertEqual } from "./given.ts";
import { type DriveOptions, type Life, TaskDriver } from "./task-driver.ts";

export interface DriverOptions extends DriveOptions {
  readonly projection: AnyProjection;
  readonly codec: EventCodec;
  readonly store?: ReadModelStore;
}

/** A projection at work in a `TaskDriver`, and the rows that it makes. */
export class ProjectionDriver {
  readonly store: ReadModelStore;
  readonly #options: DriverOptions;
  readonly #driver: TaskDriver;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.store = options.store ?? new MemoryReadModelStore();
    this.#driver = new TaskDriver({
      ...options,
      topics: topicsOf(options.projection),
      begin: (limits) => this.#begin(limits),
    });
  }

  get log(): MemoryRecordLog {
    return this.#driver.log;
  }

  get crashes(): number {
    return this.#driver.crashes;
  }

  /** The task of now: what it has dropped, where it stands. */
  get task(): Task {
    return this.#driver.task;
  }

  /** See `TaskDriver.catchUp`. */
  async catchUp(): Promise<void> {
    await this.#driver.catchUp();
  }

  /** See `TaskDriver.finish`. */
  async finish(): Promise<void> {
    await this.#driver.finish();
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

  async #begin(limits: TaskLimits): Promise<Life> {
    const { projection, codec } = this.#options;
    const generation = await this.store.open(readModelOf(projection));
    const notify = projection.kind === "events" ? projection.notify : undefined;
    if (notify) await codec.prepare(notify.to);
    const store = new ProjectionStore({ projection, generation, store: this.store, codec });
    return { pipeline: projectionPipeline(projection, { codec, limits }), store };
  }
}
