import type { AnyRow } from "../columns.ts";
import type { Decider } from "../decision/decider.ts";
import type { SettledCall } from "../decision/settle.ts";
import type { CallToDecide } from "../decision/group.ts";
import type { Probe } from "../crash-points.ts";
import { RecordError, TransientError } from "../errors.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ProcessorModel, ProcessorStore } from "../ports/processor-store.ts";
import type { OwnedPartition } from "../ports/read-model-store.ts";
import type { AnyProcessor } from "../processor.ts";
import type { EmittedCall, FlushBatch, TaskStore } from "./batch.ts";
import { storedState, topicsOf } from "./pipeline.ts";
import { UnfitBatchError } from "./suspects.ts";

export interface ProcessorTaskStoreOptions {
  readonly processor: AnyProcessor;
  readonly store: ProcessorStore;
  readonly decider: Decider;
  readonly metrics: Metrics;
  readonly probe: Probe;
  /** Plans of one flush that may meet a conflict; then the flush itself is tried again. */
  readonly plansMax: number;
}

/** What a store must know of a processor. */
export function processorModelOf(processor: AnyProcessor): ProcessorModel {
  return {
    processor: processor.name,
    state: storedState(processor),
    topics: topicsOf(processor).map(({ name, partitions }) => ({ name, partitions })),
  };
}

/**
 * Flushes of a processor: the calls that its reactions asked for are decided here, against the
 * store, and their events are appended in the transaction that keeps states and positions. A
 * conflict has written nothing: all calls are decided again, with what is new.
 */
export class ProcessorTaskStore implements TaskStore {
  readonly #options: ProcessorTaskStoreOptions;
  readonly #keepsState: boolean;

  constructor(options: ProcessorTaskStoreOptions) {
    this.#options = options;
    this.#keepsState = storedState(options.processor) !== undefined;
  }

  claim(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.#options.store.claim(this.#options.processor.name, partitions);
  }

  async load(keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    if (!this.#keepsState) return new Map();
    return this.#options.store.load(this.#options.processor.name, keys);
  }

  async flush(batch: FlushBatch): Promise<void> {
    const { plansMax } = this.#options;
    for (let conflicts = 0; conflicts < plansMax; conflicts += 1) {
      const calls = batch.calls.map((call) => toDecide(call, conflicts));
      if (await this.#planned(batch, calls)) return;
    }
    throw new TransientError(
      "conflicts",
      `The decisions of ${this.#options.processor.name} met others' events ${plansMax} times.`,
    );
  }

  /** True when it is committed; false after a conflict, which wrote nothing. */
  async #planned(batch: FlushBatch, calls: readonly CallToDecide[]): Promise<boolean> {
    const { processor, store, decider, probe, metrics } = this.#options;
    const plan = await decider.plan(calls).catch((error: unknown) => this.#blamed(batch, error));
    probe.at("flush-planned");
    const { advances, deadLetters, settlements } = batch;
    const states = this.#keepsState
      ? batch.rows.map(({ key, partition, after }) => ({ key, partition, state: after }))
      : [];
    const flush = { processor: processor.name, advances, states, deadLetters, settlements };
    const { outcome, verdicts } = await store.flush({ ...flush, appends: plan.requests });
    if (outcome === "conflict") metrics.count("append_conflicts_total", 1);
    const settled = await decider.settle(plan, verdicts);
    if (outcome === "conflict" || settled.outcome === "again") return false;
    for (const call of settled.calls) this.#countRefusal(call);
    return true;
  }

  /**
   * Finds the records whose decisions can't be made: each call is planned alone, which changes
   * nothing. What can't be blamed on any is thrown as it is.
   */
  async #blamed(batch: FlushBatch, error: unknown): Promise<never> {
    if (!(error instanceof RecordError)) throw error;
    const records = new Map<string, RecordError>();
    for (const call of batch.calls) {
      try {
        await this.#options.decider.plan([toDecide(call, 0)]);
      } catch (failure) {
        if (!(failure instanceof RecordError)) throw failure;
        records.set(call.record, failure);
      }
    }
    throw records.size > 0 ? new UnfitBatchError({ records }, error) : error;
  }

  /** A refusal that leads nowhere is not silent. */
  #countRefusal(call: SettledCall): void {
    for (const next of call.next) this.#countRefusal(next);
    if (call.result.outcome !== "refused" || call.next.length > 0) return;
    const { metrics, processor } = this.#options;
    metrics.count("refusals_left_total", 1, { consumer: processor.name });
  }
}

function toDecide(emitted: EmittedCall, conflicts: number): CallToDecide {
  const { call, accepted, refused, origin, seed } = emitted;
  const { id: causationId, correlationId, traceparent } = origin;
  return {
    call,
    origin: { correlationId, causationId, seed, ...(traceparent ? { traceparent } : {}) },
    accepted,
    refused,
    conflicts,
  };
}
