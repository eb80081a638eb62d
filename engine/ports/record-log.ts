import type { Offset } from "../position.ts";

/** A topic as it should be. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** undefined keeps records for ever. */
  readonly retentionMs?: number;
}

/** A topic as it is. */
export interface TopicInfo extends TopicSpec {
  /** Differs when a topic was deleted and made anew under the same name, and between logs. */
  readonly id: string;
}

export interface RecordToAppend {
  /** Milliseconds since 1970 (UTC), whole. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

export interface PartitionAppend {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly RecordToAppend[];
}

export interface AppendedRange {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: Offset;
  readonly endOffset: Offset;
}

export interface PartitionBounds {
  readonly partition: number;
  /** The first offset that can still be read. */
  readonly start: Offset;
  /** The offset that the next record will get. */
  readonly end: Offset;
  /** Timestamp of the last record; undefined while the partition has never had one. */
  readonly lastTimestampMs?: number;
}

export interface ReadOptions {
  readonly topic: string;
  /** The first offset wanted, for each partition to read. */
  readonly from: ReadonlyMap<number, Offset>;
  /** `end`: finish at the ends as they are now. `forever`: wait for more until `signal` aborts. */
  readonly until: "end" | "forever";
  /** About how many bytes one fetch may bring (a batch is never cut; at least one comes). */
  readonly fetchBytesMax?: number;
  readonly signal: AbortSignal;
}

/** Bytes of one partition: whole record batches (Kafka's RecordBatch v2), one after the other. */
export interface FetchedPartition {
  readonly partition: number;
  /** May begin with records below the offset asked for: the reader's cursor skips them. */
  readonly bytes: Buffer;
  /** The offset after the last record here: where the next fetch goes on. */
  readonly nextOffset: Offset;
}

export interface Fetch {
  readonly topic: string;
  readonly partitions: readonly FetchedPartition[];
}

/**
 * A log of records: topics of partitions, each an ordered, append-only series.
 *
 * Ordering: within a partition, offsets are the order of appending, and timestamps never go back
 * where the appender's don't. Nothing is said across partitions.
 *
 * Atomicity: the embedded log appends a whole call or nothing; Kafka appends partition by
 * partition. A failed call may have appended: source coordinates in the records tell (design:
 * a position is never the log's alone).
 *
 * Failures: `TransientError` for what may work later; `FatalError` `topic-unknown`,
 * `partitions-differ`, `out-of-range` (asked for an offset that retention has taken, or beyond the
 * end: never silently moved).
 */
export interface RecordLog extends AsyncDisposable {
  /** Makes the topic where it isn't there; a topic with another number of partitions is fatal. */
  ensureTopic(spec: TopicSpec): Promise<TopicInfo>;
  topics(): Promise<readonly TopicInfo[]>;
  append(appends: readonly PartitionAppend[]): Promise<readonly AppendedRange[]>;
  /**
   * Pulls batches; the consumer's pace is the back-pressure. An aborted `signal` ends the series
   * without an error.
   */
  read(options: ReadOptions): AsyncIterable<Fetch>;
  bounds(topic: string): Promise<readonly PartitionBounds[]>;
  /**
   * Per partition, the first offset whose timestamp is at or after the time; the end where there
   * is none. Where `partitions` says which are wanted, others may be left out.
   */
  offsetsAt(
    topic: string,
    timestampMs: number,
    partitions?: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, Offset>>;
}
