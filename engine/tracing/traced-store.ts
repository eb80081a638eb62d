import type { AnyRow } from "../columns.ts";
import type { OwnedPartition } from "../ports/read-model-store.ts";
import type { Span, Tracer } from "../ports/tracing.ts";
import type { FlushBatch, RowTouch, TaskStore } from "../task/batch.ts";
import { errorTypeOf, processing } from "./conventions.ts";
import type { ContextsOfRecords, RecordContexts } from "./record-contexts.ts";
import { parseTraceparent } from "./trace-context.ts";

export interface TracedStoreOptions {
  readonly consumer: string;
  readonly store: TaskStore;
  readonly tracer: Tracer;
  readonly contexts: ContextsOfRecords;
}

/**
 * Tells of each batch of a task, from its first record to its flush: a span for each topic, linked
 * to the records' contexts. It is part of the records' trace where they are all of one, and begins
 * one of its own otherwise.
 */
export class TracedStore implements TaskStore {
  readonly #options: TracedStoreOptions;

  constructor(options: TracedStoreOptions) {
    this.#options = options;
  }

  claim(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.#options.store.claim(partitions);
  }

  load(keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>> {
    return this.#options.store.load(keys);
  }

  check(row: RowTouch): void {
    this.#options.store.check?.(row);
  }

  async flush(batch: FlushBatch): Promise<void> {
    const spans = this.#spansOf(batch);
    try {
      await this.#options.store.flush(batch);
    } catch (error) {
      for (const span of spans) span.fail(errorTypeOf(error));
      throw error;
    }
    for (const span of spans) span.end();
  }

  #spansOf({ advances }: FlushBatch): Span[] {
    const topics = new Map<string, { partitions: number[]; messages: number }>();
    for (const { topic, partition, records } of advances) {
      const of = topics.get(topic) ?? { partitions: [], messages: 0 };
      of.partitions.push(partition);
      of.messages += records;
      topics.set(topic, of);
    }
    return [...topics].map(([topic, { partitions, messages }]) => {
      const partition = partitions.length === 1 ? partitions[0] : undefined;
      return this.#begun({ topic, partition, messages });
    });
  }

  #begun(from: { topic: string; partition: number | undefined; messages: number }): Span {
    const { tracer, contexts, consumer } = this.#options;
    const records = contexts.take(from.topic);
    return tracer.start({
      name: `process ${from.topic}`,
      kind: "consumer",
      parent: commonContext(records),
      links: records?.contexts ?? [],
      attributes: processing(from, consumer),
      startedAtMs: records?.sinceMs,
    });
  }
}

/** The context of the only trace that the records are of. */
function commonContext(records: RecordContexts | undefined): string | undefined {
  const [first, ...others] = records?.contexts ?? [];
  const traceId = first && parseTraceparent(first)?.traceId;
  const isOne = others.every((other) => parseTraceparent(other)?.traceId === traceId);
  return isOne ? first : undefined;
}
