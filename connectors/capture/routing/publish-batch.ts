import type { PartitionAppend, RecordToAppend } from "../../../engine/ports/record-log.ts";

/** Records on their way to the log, by topic and partition, each partition's in order. */
export class PublishBatch {
  readonly #topics = new Map<string, RecordToAppend[][]>();
  #records = 0;
  #bytes = 0;

  /** Records gathered. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of their keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  add(topic: string, partition: number, record: RecordToAppend): void {
    let partitions = this.#topics.get(topic);
    if (!partitions) this.#topics.set(topic, (partitions = []));
    (partitions[partition] ??= []).push(record);
    this.#records++;
    this.#bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
  }

  /** What was gathered; the batch is empty afterwards. */
  take(): PartitionAppend[] {
    const appends: PartitionAppend[] = [];
    for (const [topic, partitions] of this.#topics) {
      // A sparse array: only the partitions that have records are visited.
      partitions.forEach((records, partition) => appends.push({ topic, partition, records }));
    }
    this.#topics.clear();
    this.#records = 0;
    this.#bytes = 0;
    return appends;
  }
}
