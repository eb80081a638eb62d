import type { Pool } from "pg";

import { type Metrics, noMetrics } from "../../../engine/ports/metrics.ts";
import type {
  AppendedRange,
  Fetch,
  PartitionAppend,
  PartitionBounds,
  ReadOptions,
  RecordLog,
  TopicInfo,
  TopicSpec,
} from "../../../engine/ports/record-log.ts";
import { offset, type Offset } from "../../../engine/position.ts";
import { type BatchLimits, defaultBatchLimits } from "../../../engine/record-log/batches.ts";
import {
  assertReadable,
  assertTopicSpec,
  partitionsDiffer,
  topicUnknown,
} from "../../../engine/record-log/faults.ts";
import { listenConfig } from "../listener.ts";
import { appendAndNotify } from "./append-records.ts";
import { compact, type CompactionOptions, defaultCompaction } from "./compaction.ts";
import { logError } from "./database-errors.ts";
import { offsetsAt } from "./offsets-at.ts";
import { deleteBefore, sweepExpired } from "./retention.ts";
import { TailWatch } from "./tail-watch.ts";
import { TopicReader } from "./topic-reader.ts";

export interface PostgresRecordLogOptions extends Partial<BatchLimits> {
  /** Reading and appending. It belongs to the caller and must outlive the log. */
  readonly pool: Pool;
  /**
   * How to connect for LISTEN: a connection of its own, not through a pooler. Left out: as the pool
   * does.
   */
  readonly listenUrl?: string;
  readonly metrics?: Metrics;
  /** About how many bytes one fetch brings where the reader doesn't say; two may be in memory. */
  readonly fetchBytesMax?: number;
  /** How often waiting readers look for themselves, should no notification come. */
  readonly pollIntervalMs?: number;
  /** Bytes of the newest batches that are kept for readers at the end (default 4 MiB). */
  readonly tailBytesMax?: number;
  /** Failed fetches one after the other, beyond which a reader gives up with a TransientError. */
  readonly readRetriesMax?: number;
}

interface TopicRow {
  readonly topic_number: number;
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
  readonly retention_ms: bigint | null;
}

interface BoundsRow {
  readonly topic_number: number;
  readonly partition: number;
  readonly start_offset: bigint;
  readonly end_offset: bigint;
  readonly last_timestamp_ms: bigint | null;
}

/** The record log in Postgres: one row for each batch of records of one partition. */
export class PostgresRecordLog implements RecordLog {
  readonly #pool: Pool;
  readonly #metrics: Metrics;
  readonly #limits: BatchLimits;
  readonly #fetchBytesMax: number;
  readonly #readRetriesMax: number;
  readonly #watch: TailWatch;
  readonly #closing = new AbortController();

  constructor(options: PostgresRecordLogOptions) {
    this.#pool = options.pool;
    this.#metrics = options.metrics ?? noMetrics;
    this.#limits = {
      batchBytesMax: options.batchBytesMax ?? defaultBatchLimits.batchBytesMax,
      batchRecordsMax: options.batchRecordsMax ?? defaultBatchLimits.batchRecordsMax,
    };
    this.#fetchBytesMax = options.fetchBytesMax ?? 4 * 1024 * 1024;
    this.#readRetriesMax = options.readRetriesMax ?? 10;
    this.#watch = new TailWatch({
      pool: options.pool,
      listen: listenConfig(options, "log"),
      metrics: this.#metrics,
      clock: { monotonicMs: () => performance.now() },
      pollIntervalMs: options.pollIntervalMs ?? 250,
      tailBytesMax: options.tailBytesMax ?? 4 * 1024 * 1024,
      reconnectDelayMs: 100,
      reconnectDelayMaxMs: 5_000,
    });
  }

  async ensureTopic(spec: TopicSpec): Promise<TopicInfo> {
    assertTopicSpec(spec);
    const rows = await this.#query<TopicRow>("select * from refold.log_ensure_topic($1, $2, $3)", [
      spec.name,
      spec.partitions,
      spec.retentionMs ?? null,
    ]);
    const info = topicInfo(rows[0] as TopicRow);
    if (info.partitions !== spec.partitions) throw partitionsDiffer(spec, info.partitions);
    return info;
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const rows = await this.#query<TopicRow>(
      `select * from refold.log_topics order by name collate "C"`,
      [],
    );
    return rows.map(topicInfo);
  }

  async append(appends: readonly PartitionAppend[]): Promise<readonly AppendedRange[]> {
    return appendAndNotify(this.#pool, appends, this.#limits);
  }

  async *read(options: ReadOptions): AsyncGenerator<Fetch, void> {
    const { topic, from } = options;
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const { topicNumber, bounds } = await this.#partitions(topic);
    assertReadable(topic, from, bounds);
    const reader = new TopicReader({
      pool: this.#pool,
      watch: this.#watch,
      metrics: this.#metrics,
      topic,
      topicNumber,
      next: new Map([...from].map(([partition, at]) => [partition, Number(at)])),
      until: options.until,
      fetchBytesMax: options.fetchBytesMax ?? this.#fetchBytesMax,
      retriesMax: this.#readRetriesMax,
      retryDelayMs: 20,
      retryDelayMaxMs: 2_000,
      signal,
    });
    yield* reader.fetches();
  }

  async bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return (await this.#partitions(topic)).bounds;
  }

  async offsetsAt(
    topic: string,
    timestampMs: number,
    partitions?: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, Offset>> {
    const { topicNumber, bounds: all } = await this.#partitions(topic);
    const bounds = all.filter(({ partition }) => partitions?.has(partition) !== false);
    try {
      return await offsetsAt(this.#pool, { topicNumber, bounds, timestampMs });
    } catch (error) {
      throw logError(error, `Looking for a time in ${topic}`);
    }
  }

  /** Lets retention take what lies before the offsets: starts move, whole batches are freed. */
  async deleteBefore(topic: string, before: ReadonlyMap<number, Offset>): Promise<void> {
    const { topicNumber } = await this.#partitions(topic);
    try {
      await deleteBefore(this.#pool, topicNumber, before);
    } catch (error) {
      throw logError(error, `Deleting from ${topic}`);
    }
  }

  /**
   * Frees what is older than its topic's retention, counted from `nowMs`; for a background job.
   *
   * @param batchesMax Of each partition.
   * @returns How many batches were freed: call again soon when it is `batchesMax` or more.
   */
  async sweep(nowMs: number, batchesMax = 5_000): Promise<number> {
    try {
      return await sweepExpired(this.#pool, nowMs, batchesMax);
    } catch (error) {
      throw logError(error, "Freeing expired records");
    }
  }

  /**
   * Unites old small batches into larger ones; for a background job, in any number of processes.
   * Offsets, and what readers get, stay as they are.
   *
   * @returns How many batches were replaced.
   */
  async compact(options: Partial<CompactionOptions> = {}): Promise<number> {
    try {
      const { batchBytesMax } = this.#limits;
      return await compact(this.#pool, { ...defaultCompaction, batchBytesMax, ...options });
    } catch (error) {
      throw logError(error, "Uniting small batches");
    }
  }

  /** Ends the readings that are open; the pool is the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watch[Symbol.asyncDispose]();
  }

  async #partitions(
    topic: string,
  ): Promise<{ readonly topicNumber: number; readonly bounds: readonly PartitionBounds[] }> {
    const rows = await this.#query<BoundsRow>(
      `select p.* from refold.log_topics t join refold.log_partitions p using (topic_number)
       where t.name = $1 order by p.partition`,
      [topic],
    );
    const [first] = rows;
    if (!first)
      throw topicUnknown(
        topic,
        (await this.topics()).map((one) => one.name),
      );
    return { topicNumber: first.topic_number, bounds: rows.map(partitionBounds) };
  }

  async #query<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(text, values)).rows;
    } catch (error) {
      throw logError(error, "Asking the record log");
    }
  }
}

function topicInfo(row: TopicRow): TopicInfo {
  const { name, partitions, id, retention_ms: retentionMs } = row;
  const info = { name, partitions, id };
  return retentionMs === null ? info : { ...info, retentionMs: Number(retentionMs) };
}

function partitionBounds(row: BoundsRow): PartitionBounds {
  const { partition, last_timestamp_ms: last } = row;
  const bounds = { partition, start: offset(row.start_offset), end: offset(row.end_offset) };
  return last === null ? bounds : { ...bounds, lastTimestampMs: Number(last) };
}
