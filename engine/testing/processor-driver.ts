import type { AnyRow } from "../columns.ts";
import { Decider } from "../decision/decider.ts";
import { MemoryDeadlines } from "../memory/deadlines.ts";
import { MemoryEffectLedger } from "../memory/effect-ledger.ts";
import { MemoryEventStore } from "../memory/event-store.ts";
import { MemoryProcessorStore } from "../memory/processor-store.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { Deadline } from "../ports/deadlines.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";
import type { StoredEvent } from "../ports/event-store.ts";
import { noMetrics } from "../ports/metrics.ts";
import type { AnyProcessor } from "../processor.ts";
import type { TaskLimits } from "../task/limits.ts";
import { processorPipeline, topicsOf } from "../task/pipeline.ts";
import { processorModelOf, ProcessorTaskStore } from "../task/processor-task-store.ts";
import { type DriveOptions, type Life, TaskDriver } from "./task-driver.ts";

export interface ProcessorDriverOptions extends DriveOptions {
  readonly processor: AnyProcessor;
  readonly codec: EventCodec;
}

/** A processor at work in a `TaskDriver`: the events that it makes, and its states. */
export class ProcessorDriver {
  readonly #options: ProcessorDriverOptions;
  readonly #driver: TaskDriver;
  readonly #events: MemoryEventStore;
  readonly #ledger: MemoryEffectLedger;
  readonly #deadlines = new MemoryDeadlines();
  readonly #store: MemoryProcessorStore;

  constructor(options: ProcessorDriverOptions) {
    this.#options = options;
    this.#driver = new TaskDriver({
      ...options,
      topics: topicsOf(options.processor),
      begin: (limits) => this.#begin(limits),
    });
    const { clock } = this.#driver;
    this.#ledger = new MemoryEffectLedger({ clock });
    const beside = { effectLedger: this.#ledger, deadlines: this.#deadlines };
    const events = new MemoryEventStore({ clock, ...beside });
    this.#events = events;
    this.#store = new MemoryProcessorStore({
      appendAll: (requests) => events.appendAll(requests),
    });
  }

  get crashes(): number {
    return this.#driver.crashes;
  }

  /** Where the clock stands, at which everything is decided. */
  get nowMs(): number {
    return this.#driver.clock.nowMs();
  }

  /** See `TaskDriver.finish`. */
  async finish(): Promise<void> {
    await this.#driver.finish();
  }

  /** Everything that was appended, in the order of positions. */
  async events(): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    for await (const page of this.#events.read({})) found.push(...page);
    return found;
  }

  /** Effects that its decisions want, in the order in which they were wanted; nobody performs them. */
  async effects(): Promise<readonly StoredEffect[]> {
    return this.#ledger.list({ limit: Infinity });
  }

  /** Deadlines that its decisions have set, the earliest first; they don't pass. */
  async deadlines(names: readonly string[]): Promise<readonly Deadline[]> {
    return this.#deadlines.due({ names, nowMs: Infinity, limit: Infinity });
  }

  /** The stored states of these keys. */
  async states(keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    return this.#store.load(this.#options.processor.name, keys);
  }

  async #begin(limits: TaskLimits): Promise<Life> {
    const { processor, codec } = this.#options;
    const { clock, random } = this.#driver;
    await this.#store.open(processorModelOf(processor));
    const shared = { codec, clock, random, metrics: noMetrics };
    const store = new ProcessorTaskStore({
      processor,
      store: this.#store,
      decider: new Decider({ ...shared, eventStore: this.#events, as: "processor" }),
      metrics: noMetrics,
      probe: this.#driver,
      plansMax: 8,
    });
    return { pipeline: processorPipeline(processor, { codec, limits }), store };
  }
}
