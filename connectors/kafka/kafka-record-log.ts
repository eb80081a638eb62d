import { TransientError } from "../../engine/errors.ts";
import { offset, type Offset } from "../../engine/position.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import type {
  AppendedRange,
  Fetch,
  PartitionAppend,
  PartitionBounds,
  ReadOptions,
  RecordLog,
  TopicInfo,
  TopicSpec,
} from "../../engine/ports/record-log.ts";
import { type BatchLimits, defaultBatchLimits } from "../../engine/record-log/batches.ts";
import {
  assertTopicSpec,
  partitionsDiffer,
  partitionUnknown,
} from "../../engine/record-log/faults.ts";
import { KafkaProducer } from "./append/producer.ts";
import type { KafkaCluster } from "./cluster.ts";
import { TopicReader } from "./read/topic-reader.ts";
import { specialTimes } from "./requests/list-offsets.ts";
import {
  describeTopics,
  listPartitions,
  makeTopic,
  partitionBounds,
  topicWithLeaders,
} from "./topics.ts";

export interface KafkaRecordLogOptions extends Partial<BatchLimits> {
  /** It belongs to the caller and must outlive the log. */
  readonly cluster: KafkaCluster;
  readonly metrics?: Metrics;
  /** Of topics that are made here; -1 (the default): as the cluster does. */
  readonly replicationFactor?: number;
  /** About how many bytes one fetch brings where the reader doesn't say; two of each broker. */
  readonly fetchBytesMax?: number;
  /** About how many bytes of one partition a fetch brings. */
  readonly partitionBytesMax?: number;
  /** What a compressed batch may become. */
  readonly inflatedBytesMax?: number;
  /** How long a broker may wait until it has records for a fetch. */
  readonly fetchWaitMs?: number;
  /** Failed fetches one after the other, beyond which a reader gives up with a TransientError. */
  readonly readRetriesMax?: number;
  /** How soon new partitions and a topic made anew are noticed by readers at the latest. */
  readonly metadataAgeMaxMs?: number;
  /** About how many bytes one append request carries. */
  readonly requestBytesMax?: number;
  /** About how many bytes may be on their way; further appends wait. */
  readonly pendingBytesMax?: number;
  /** How long an append is tried again. */
  readonly deliveryTimeoutMs?: number;
}

/**
 * The record log in Kafka. Records go in and out as the bytes of Kafka's own batches; which
 * partitions are read from where is the caller's alone, never a consumer group's.
 *
 * Beyond the port: an append that takes several batches may have another producer's records in
 * between; `lastTimestampMs` is the largest timestamp of the records that are still there.
 */
export class KafkaRecordLog implements RecordLog {
  readonly #options: KafkaRecordLogOptions;
  readonly #cluster: KafkaCluster;
  readonly #producer: KafkaProducer;
  readonly #closing = new AbortController();

  constructor(options: KafkaRecordLogOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#producer = new KafkaProducer({
      cluster: options.cluster,
      metrics: options.metrics ?? noMetrics,
      limits: {
        batchBytesMax: options.batchBytesMax ?? defaultBatchLimits.batchBytesMax,
        batchRecordsMax: options.batchRecordsMax ?? defaultBatchLimits.batchRecordsMax,
      },
      requestBytesMax: options.requestBytesMax ?? 4 * 1024 * 1024,
      pendingBytesMax: options.pendingBytesMax ?? 32 * 1024 * 1024,
      deliveryTimeoutMs: options.deliveryTimeoutMs ?? 30_000,
    });
  }

  /** The retention of a topic that is there already stays as its operators have set it. */
  async ensureTopic(spec: TopicSpec): Promise<TopicInfo> {
    assertTopicSpec(spec);
    return this.#cluster.retry(async () => {
      const found =
        (await this.#cluster.findTopic(spec.name)) ??
        (await this.#make(spec)) ??
        (await this.#cluster.topic(spec.name));
      if (found.partitions.length !== spec.partitions) {
        throw partitionsDiffer(spec, found.partitions.length);
      }
      const [info] = await describeTopics(this.#cluster, [found]);
      return info as TopicInfo;
    });
  }

  /** Brokers learn of a new topic one after the other. */
  async #make(spec: TopicSpec) {
    await makeTopic(this.#cluster, spec, this.#options.replicationFactor ?? -1);
    const made = await this.#cluster.findTopic(spec.name);
    if (made && made.partitions.every(({ leader }) => leader >= 0)) return made;
    throw new TransientError("kafka", `Topic ${spec.name} has no leaders yet.`);
  }

  async topics(): Promise<readonly TopicInfo[]> {
    return this.#cluster.retry(async () => {
      const { topics } = await this.#cluster.metadata();
      const own = topics.filter(({ internal, partitions }) => !internal && partitions.length > 0);
      const infos = await describeTopics(this.#cluster, own);
      return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async append(appends: readonly PartitionAppend[]): Promise<readonly AppendedRange[]> {
    const empty = appends.filter(({ records }) => records.length === 0);
    const ends = await Promise.all(empty.map((append) => this.#endOf(append)));
    const full = appends.filter(({ records }) => records.length > 0);
    const ranges = full.length === 0 ? [] : await this.#producer.append(full);
    return appends.map(({ records }) => {
      const range = records.length === 0 ? ends.shift() : ranges.shift();
      return range as AppendedRange;
    });
  }

  async #endOf({ topic: name, partition }: PartitionAppend): Promise<AppendedRange> {
    const listed = await this.#cluster.retry(async () => {
      const topic = await topicWithLeaders(this.#cluster, name);
      const count = topic.partitions.length;
      if (partition >= count) throw partitionUnknown(name, partition, count);
      const query = { topic, partitions: [partition], timestampMs: specialTimes.latest };
      return listPartitions(this.#cluster, query);
    });
    const end = offset(listed.get(partition)?.offset ?? 0n);
    return { topic: name, partition, firstOffset: end, endOffset: end };
  }

  read(options: ReadOptions): AsyncGenerator<Fetch, void> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    return new TopicReader({
      cluster: this.#cluster,
      metrics: this.#options.metrics ?? noMetrics,
      topic: options.topic,
      from: options.from,
      until: options.until,
      fetchBytesMax: options.fetchBytesMax ?? this.#options.fetchBytesMax ?? 4 * 1024 * 1024,
      partitionBytesMax: this.#options.partitionBytesMax ?? 1024 * 1024,
      inflatedBytesMax: this.#options.inflatedBytesMax ?? 64 * 1024 * 1024,
      fetchWaitMs: this.#options.fetchWaitMs ?? 500,
      retriesMax: this.#options.readRetriesMax ?? 30,
      metadataAgeMaxMs: this.#options.metadataAgeMaxMs ?? 10_000,
      signal,
    }).fetches();
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return this.#cluster.retry(async () =>
      partitionBounds(this.#cluster, await topicWithLeaders(this.#cluster, topic)),
    );
  }

  async offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, Offset>> {
    return this.#cluster.retry(async () => {
      const found = await topicWithLeaders(this.#cluster, topic);
      const at = (time: number) =>
        listPartitions(this.#cluster, { topic: found, timestampMs: time });
      // The ends first: what comes meanwhile may be at or after the time, and must not be skipped.
      const ends = await at(specialTimes.latest);
      const listed = await at(Math.max(0, Math.ceil(timestampMs)));
      return new Map(
        [...ends].map(([partition, end]) => {
          const first = listed.get(partition)?.offset ?? -1n;
          return [partition, offset(first < 0n ? end.offset : first)] as const;
        }),
      );
    });
  }

  /** Ends the readings that are open and what is being appended; the cluster is the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#producer[Symbol.asyncDispose]();
  }
}
