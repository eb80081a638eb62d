import { header } from "../envelope.ts";
import type { Fetch } from "../ports/record-log.ts";
import { RecordCursor } from "../record-batch/cursor.ts";

/** Contexts of one topic's records since they were last taken. */
export interface RecordContexts {
  /** When the first of them came, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Distinct traceparents, of the first records. */
  readonly contexts: readonly string[];
}

interface Gathered {
  readonly sinceMs: number;
  readonly contexts: Set<string>;
}

/**
 * The trace contexts of records on their way through a task, the first so many of each batch. They
 * are read from what was fetched by a cursor of their own, so that nothing is done for each record.
 */
export class ContextsOfRecords {
  readonly #most: number;
  readonly #nowMs: () => number;
  readonly #cursor = new RecordCursor();
  readonly #topics = new Map<string, Gathered>();

  constructor(options: { readonly most: number; readonly nowMs: () => number }) {
    this.#most = options.most;
    this.#nowMs = options.nowMs;
  }

  /** `from`: the first offset of a partition that counts; undefined: none does. */
  see(fetch: Fetch, from: (partition: number) => number | undefined): void {
    const { topic } = fetch;
    const gathered = this.#topics.get(topic) ?? { sinceMs: this.#nowMs(), contexts: new Set() };
    this.#topics.set(topic, gathered);
    for (const { partition, bytes } of fetch.partitions) {
      const first = from(partition);
      if (first === undefined || gathered.contexts.size >= this.#most) continue;
      this.#gather(bytes, first, gathered.contexts);
    }
  }

  take(topic: string): RecordContexts | undefined {
    const gathered = this.#topics.get(topic);
    this.#topics.delete(topic);
    return gathered && { sinceMs: gathered.sinceMs, contexts: [...gathered.contexts] };
  }

  #gather(bytes: Buffer, from: number, contexts: Set<string>): void {
    const cursor = this.#cursor;
    cursor.reset(bytes, from);
    // Records of one trace are many where there are few traces: looking has a bound of its own.
    for (
      let left = this.#most;
      left > 0 && contexts.size < this.#most && cursor.next();
      left -= 1
    ) {
      const context = cursor.headerText(header.traceparent);
      if (context !== undefined) contexts.add(context);
    }
  }
}
