import { offset, type Offset } from "../position.ts";
import type {
  AppendedRange,
  Fetch,
  FetchedPartition,
  PartitionAppend,
  PartitionBounds,
  ReadOptions,
  RecordLog,
  TopicInfo,
  TopicSpec,
} from "../ports/record-log.ts";
import { writeInt64 } from "../record-batch/batch-header.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { RecordBatchWriter } from "../record-batch/writer.ts";
import { type BatchLimits, defaultBatchLimits, encodeBatches } from "../record-log/batches.ts";
import {
  assertReadable,
  assertTopicSpec,
  partitionsDiffer,
  partitionUnknown,
  topicUnknown,
} from "../record-log/faults.ts";

export interface MemoryRecordLogOptions extends Partial<BatchLimits> {
  /** Stands in the topics' ids, so that two logs differ. */
  readonly name?: string;
  /** About how many bytes one fetch brings where the reader doesn't say. */
  readonly fetchBytesMax?: number;
}

interface Batch {
  readonly bytes: Buffer;
  readonly base: number;
  readonly end: number;
  readonly maxTimestampMs: number;
}

interface Partition {
  batches: Batch[];
  start: number;
  end: number;
  lastTimestampMs: number | undefined;
}

interface Topic {
  info: TopicInfo;
  readonly partitions: readonly Partition[];
}

/** The record log's reference adapter: everything in this process' memory, in the same bytes. */
export class MemoryRecordLog implements RecordLog {
  readonly #topics = new Map<string, Topic>();
  readonly #limits: BatchLimits;
  readonly #name: string;
  readonly #fetchBytesMax: number;
  readonly #writer = new RecordBatchWriter();
  readonly #wakers = new Set<() => void>();
  #made = 0;
  #closed = false;

  constructor(options: MemoryRecordLogOptions = {}) {
    this.#limits = { ...defaultBatchLimits, ...options };
    this.#name = options.name ?? "memory";
    this.#fetchBytesMax = options.fetchBytesMax ?? 4 * 1024 * 1024;
  }

  async ensureTopic(spec: TopicSpec): Promise<TopicInfo> {
    assertTopicSpec(spec);
    const found = this.#topics.get(spec.name);
    if (found && found.info.partitions !== spec.partitions) {
      throw partitionsDiffer(spec, found.info.partitions);
    }
    const id = found?.info.id ?? `${this.#name}-${(this.#made += 1)}`;
    const partitions = found?.partitions ?? Array.from({ length: spec.partitions }, emptyPartition);
    const info: TopicInfo = { ...spec, id };
    this.#topics.set(spec.name, { info, partitions });
    return info;
  }

  async topics(): Promise<readonly TopicInfo[]> {
    return [...this.#topics.values()]
      .map((topic) => topic.info)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Forgets a topic: made again, it has another id, as after a deletion in Kafka. */
  async deleteTopic(name: string): Promise<void> {
    this.#topics.delete(name);
  }

  async append(appends: readonly PartitionAppend[]): Promise<readonly AppendedRange[]> {
    // Found before anything is written: the call is whole or nothing.
    const targets = appends.map(({ topic, partition }) => this.#partition(topic, partition));
    const ranges = appends.map((append, index) => {
      const target = targets[index] as Partition;
      const first = target.end;
      this.#write(target, append);
      const { topic, partition } = append;
      return { topic, partition, firstOffset: offset(first), endOffset: offset(target.end) };
    });
    for (const wake of this.#wakers) wake();
    return ranges;
  }

  #write(target: Partition, append: PartitionAppend): void {
    for (const batch of encodeBatches(this.#writer, append.records, this.#limits)) {
      const base = target.end;
      writeInt64(batch.bytes, base, 0);
      target.end = base + batch.count;
      target.lastTimestampMs = batch.lastTimestampMs;
      const { bytes, maxTimestampMs } = batch;
      target.batches.push({ bytes, base, end: target.end, maxTimestampMs });
    }
  }

  async *read(options: ReadOptions): AsyncGenerator<Fetch, void> {
    const { topic: name, from, signal } = options;
    const topic = this.#topic(name);
    const next = new Map([...from].map(([partition, at]) => [partition, Number(at)]));
    // Before the ends are taken: a partition that isn't there has none.
    assertReadable(name, from, boundsOf(topic));
    const ends = [...from.keys()].map((partition) => [partition, endOf(topic, partition)] as const);
    while (!signal.aborted && !this.#closed) {
      assertReadable(name, asOffsets(next), boundsOf(topic));
      const partitions = this.#fetch(topic, next, options.fetchBytesMax ?? this.#fetchBytesMax);
      if (partitions.length > 0) yield { topic: name, partitions };
      const finished = ends.every(([partition, end]) => (next.get(partition) ?? 0) >= end);
      if (options.until === "end" && finished) return;
      if (partitions.length === 0) await this.#appended(signal);
    }
  }

  /** Takes whole batches of every partition, round about, until the bytes are enough. */
  #fetch(topic: Topic, next: Map<number, number>, bytesMax: number): FetchedPartition[] {
    const share = bytesMax / Math.max(1, next.size);
    const fetched: FetchedPartition[] = [];
    for (const [partition, from] of next) {
      const { batches } = topic.partitions[partition] as Partition;
      const taken: Buffer[] = [];
      let size = 0;
      let nextOffset = from;
      for (let index = indexOf(batches, from); index < batches.length; index += 1) {
        const batch = batches[index] as Batch;
        if (taken.length > 0 && size + batch.bytes.length > share) break;
        taken.push(batch.bytes);
        size += batch.bytes.length;
        nextOffset = batch.end;
      }
      if (taken.length === 0) continue;
      next.set(partition, nextOffset);
      const bytes = Buffer.concat(taken);
      fetched.push({ partition, bytes, nextOffset: offset(nextOffset) });
    }
    return fetched;
  }

  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wakers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  async bounds(name: string): Promise<readonly PartitionBounds[]> {
    return boundsOf(this.#topic(name));
  }

  async offsetsAt(
    name: string,
    timestampMs: number,
    wanted?: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, Offset>> {
    const { partitions } = this.#topic(name);
    const found = new Map<number, Offset>();
    for (const [partition, one] of partitions.entries()) {
      if (wanted?.has(partition) === false) continue;
      found.set(partition, offset(firstAt(one, timestampMs)));
    }
    return found;
  }

  /** Lets retention take what lies before an offset; whole batches' bytes are freed. */
  async deleteBefore(name: string, before: ReadonlyMap<number, Offset>): Promise<void> {
    for (const [number, to] of before) {
      const partition = this.#partition(name, number);
      partition.start = Math.min(partition.end, Math.max(partition.start, Number(to)));
      partition.batches = partition.batches.filter((batch) => batch.end > partition.start);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const wake of this.#wakers) wake();
  }

  #topic(name: string): Topic {
    const found = this.#topics.get(name);
    if (!found) throw topicUnknown(name, [...this.#topics.keys()].sort());
    return found;
  }

  #partition(name: string, partition: number): Partition {
    const { partitions } = this.#topic(name);
    const found = partitions[partition];
    if (!found) throw partitionUnknown(name, partition, partitions.length);
    return found;
  }
}

const emptyPartition = (): Partition => ({
  batches: [],
  start: 0,
  end: 0,
  lastTimestampMs: undefined,
});

const asOffsets = (next: ReadonlyMap<number, number>): Map<number, bigint> =>
  new Map([...next].map(([partition, at]) => [partition, BigInt(at)]));

const boundsOf = (topic: Topic): PartitionBounds[] =>
  topic.partitions.map((one, partition) => ({
    partition,
    start: offset(one.start),
    end: offset(one.end),
    ...(one.lastTimestampMs === undefined ? {} : { lastTimestampMs: one.lastTimestampMs }),
  }));

const endOf = (topic: Topic, partition: number): number => topic.partitions[partition]?.end ?? 0;

/** Index of the first batch that ends after the offset. */
function indexOf(batches: readonly Batch[], from: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((batches[middle] as Batch).end > from) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstAt(partition: Partition, timestampMs: number): number {
  const cursor = new RecordCursor();
  for (const batch of partition.batches) {
    if (batch.maxTimestampMs < timestampMs) continue;
    cursor.reset(batch.bytes, partition.start);
    while (cursor.next()) if (cursor.timestampMs >= timestampMs) return cursor.offset;
  }
  return partition.end;
}
