import type { CaptureSink } from "../../../engine/ports/capture-sink.ts";
import type { PartitionAppend } from "../../../engine/ports/record-log.ts";

export interface NewTopicsOptions {
  readonly sink: CaptureSink;
  /** Of each topic that is made; undefined: whoever owns the topics makes them. */
  readonly partitions: number | undefined;
}

/** Makes topics as they come up, where tables are found and not listed with their topics. */
export class NewTopics {
  readonly #options: NewTopicsOptions;
  /** Topics known to be there. */
  readonly #known = new Set<string>();

  constructor(options: NewTopicsOptions) {
    this.#options = options;
  }

  async ensure(appends: readonly PartitionAppend[]): Promise<void> {
    const { sink, partitions } = this.#options;
    if (partitions === undefined || !sink.ensureTopic) return;
    for (const { topic: name } of appends) {
      if (this.#known.has(name)) continue;
      await sink.ensureTopic({ name, partitions });
      this.#known.add(name);
    }
  }

  /** Parts of a snapshot, each when its topics are there. */
  async *before(
    parts: AsyncIterable<readonly PartitionAppend[]>,
  ): AsyncGenerator<readonly PartitionAppend[]> {
    for await (const part of parts) {
      await this.ensure(part);
      yield part;
    }
  }
}
