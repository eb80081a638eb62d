import type { AnyRow } from "../columns.ts";
import { fencedOut } from "../fencing.ts";
import { processorUnknown, stateDiffers } from "../generation-faults.ts";
import type { AppendRequest, AppendVerdict } from "../ports/event-store.ts";
import type {
  ProcessorFlush,
  ProcessorFlushResult,
  ProcessorModel,
  ProcessorStore,
} from "../ports/processor-store.ts";
import type { OwnedPartition } from "../ports/read-model-store.ts";
import { assertRowFits, columnDifference, copyRow } from "../stored-row.ts";
import type { LetterSink } from "./dead-letters.ts";
import { MemoryPositions, type StandingPartition } from "./positions.ts";

export interface MemoryProcessorStoreOptions {
  /**
   * Appends all of these as a processor, or none of them when any verdict isn't `appended`.
   * Synchronous, so that the flush is one step.
   */
  readonly appendAll: (requests: readonly AppendRequest[]) => readonly AppendVerdict[];
  readonly deadLetters?: LetterSink;
}

interface StoredProcessor {
  readonly model: ProcessorModel;
  readonly positions: MemoryPositions;
  readonly states: Map<string, AnyRow>;
}

/** Processors' states in memory: the exact reference of the port. */
export class MemoryProcessorStore implements ProcessorStore {
  readonly #options: MemoryProcessorStoreOptions;
  readonly #processors = new Map<string, StoredProcessor>();

  constructor(options: MemoryProcessorStoreOptions) {
    this.#options = options;
  }

  async open(model: ProcessorModel): Promise<void> {
    const stored = this.#processors.get(model.processor);
    if (stored === undefined) {
      const positions = new MemoryPositions(model.processor);
      positions.add(model.topics);
      this.#processors.set(model.processor, { model, positions, states: new Map() });
      return;
    }
    const difference = columnDifference(stored.model.state ?? {}, model.state ?? {});
    if (difference !== undefined) throw stateDiffers(model.processor, difference);
    stored.positions.add(model.topics);
  }

  async claim(
    processor: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.#processor(processor).positions.claim(partitions);
  }

  async load(processor: string, keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    const { states, model } = this.#processor(processor);
    const found = new Map<string, AnyRow>();
    for (const key of keys) {
      const state = states.get(key);
      if (state !== undefined) found.set(key, copyRow(model.state ?? {}, state));
    }
    return found;
  }

  async flush(flush: ProcessorFlush): Promise<ProcessorFlushResult> {
    const { model, positions, states } = this.#processor(flush.processor);
    const columns = model.state ?? {};
    for (const { key, state } of flush.states) {
      if (state !== undefined) assertRowFits(flush.processor, columns, { key, row: state });
    }
    positions.check(flush.advances);
    const { deadLetters: letters } = this.#options;
    const { settlements = [] } = flush;
    if (letters && !letters.areOpen(settlements)) throw fencedOut(model.processor, flush.advances);
    const verdicts = flush.appends.length === 0 ? [] : this.#options.appendAll(flush.appends);
    if (verdicts.some(({ outcome }) => outcome !== "appended")) {
      return { outcome: "conflict", verdicts };
    }
    for (const { key, state } of flush.states) {
      if (state === undefined) states.delete(key);
      else states.set(key, copyRow(columns, state));
    }
    letters?.add(flush.deadLetters);
    letters?.settle(settlements);
    positions.advance(flush.advances);
    return { outcome: "committed", verdicts };
  }

  async positions(processor: string): Promise<readonly StandingPartition[]> {
    return this.#processor(processor).positions.all();
  }

  #processor(name: string): StoredProcessor {
    const stored = this.#processors.get(name);
    if (stored === undefined) throw processorUnknown(name);
    return stored;
  }
}
