import { offset, type Offset } from "../position.ts";
import type { Clock } from "../ports/clock.ts";
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
import type { SkippedOffsets, SkippedOffsetsSource } from "../ports/skipped-offsets.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { type OffsetRange, withoutOffsets } from "../record-batch/cut.ts";
import { KnownSkips } from "./known-skips.ts";

export interface SkippingRecordLogOptions {
  /** It is disposed of with this one. */
  readonly log: RecordLog;
  readonly skipped: SkippedOffsetsSource;
  readonly clock: Clock;
  /** How soon readers learn of a new range at the latest (default 1,000). */
  readonly ageMaxMs?: number;
}

type Ranges = ReadonlyMap<number, readonly OffsetRange[]>;

/**
 * A log whose readers pass over ranges of offsets that are kept elsewhere: for logs that can't take
 * records back. Bounds are those of the log itself.
 */
export class SkippingRecordLog implements RecordLog {
  readonly #log: RecordLog;
  readonly #known: KnownSkips;

  constructor({ log, skipped, clock, ageMaxMs = 1_000 }: SkippingRecordLogOptions) {
    this.#log = log;
    this.#known = new KnownSkips({ source: skipped, clock, ageMaxMs });
  }

  ensureTopic(spec: TopicSpec): Promise<TopicInfo> {
    return this.#log.ensureTopic(spec);
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#log.topics();
  }

  append(appends: readonly PartitionAppend[]): Promise<readonly AppendedRange[]> {
    return this.#log.append(appends);
  }

  bounds(topic: string): Promise<readonly PartitionBounds[]> {
    return this.#log.bounds(topic);
  }

  async *read(options: ReadOptions): AsyncGenerator<Fetch, void> {
    const rangesNow = this.#rangesOf(options.topic);
    for await (const fetch of this.#log.read(options)) {
      const ranges = await rangesNow();
      const cut = (one: FetchedPartition) => withoutSkipped(one, ranges.get(one.partition));
      yield ranges.size === 0 ? fetch : { ...fetch, partitions: fetch.partitions.map(cut) };
    }
  }

  async offsetsAt(
    topic: string,
    timestampMs: number,
    partitions?: ReadonlySet<number>,
  ): Promise<ReadonlyMap<number, Offset>> {
    const found = new Map(await this.#log.offsetsAt(topic, timestampMs, partitions));
    const ranges = await this.#rangesOf(topic)();
    for (const [partition, at] of found) {
      const passed = behind(Number(at), ranges.get(partition));
      if (passed === Number(at)) continue;
      const from = new Map([[partition, offset(passed)]]);
      found.set(partition, await this.#firstAt(topic, from, timestampMs));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log[Symbol.asyncDispose]();
  }

  /**
   * Behind a range times may be earlier than within it: what it held was appended again. So the rest
   * of the partition is read.
   */
  async #firstAt(topic: string, from: Map<number, Offset>, timestampMs: number): Promise<Offset> {
    const cursor = new RecordCursor();
    const { signal } = new AbortController();
    let next = [...from.values()][0] as Offset;
    for await (const fetch of this.read({ topic, from, until: "end", signal })) {
      for (const { bytes, nextOffset } of fetch.partitions) {
        cursor.reset(bytes, next);
        while (cursor.next()) if (cursor.timestampMs >= timestampMs) return offset(cursor.offset);
        next = nextOffset;
      }
    }
    return next;
  }

  /** Made for one reading: a topic that is made anew ends the readings of the old one. */
  #rangesOf(topic: string): () => Promise<Ranges> {
    let known: readonly SkippedOffsets[] | undefined;
    let ranges: Ranges = new Map();
    let topicId: string | undefined;
    return async () => {
      const all = await this.#known.current();
      if (all === known) return ranges;
      const ofName = all.filter((one) => one.topic === topic);
      if (ofName.length > 0) topicId ??= await this.#idOf(topic);
      ranges = byPartition(ofName.filter((one) => one.topicId === topicId));
      known = all;
      return ranges;
    };
  }

  async #idOf(topic: string): Promise<string | undefined> {
    return (await this.#log.topics()).find(({ name }) => name === topic)?.id;
  }
}

function byPartition(skipped: readonly SkippedOffsets[]): Ranges {
  const numbers = ({ from, to }: SkippedOffsets) => ({ from: Number(from), to: Number(to) });
  const grouped = Map.groupBy(skipped, ({ partition }) => partition);
  return new Map([...grouped].map(([partition, ranges]) => [partition, ranges.map(numbers)]));
}

function withoutSkipped(
  fetched: FetchedPartition,
  ranges: readonly OffsetRange[] | undefined,
): FetchedPartition {
  if (!ranges) return fetched;
  return {
    partition: fetched.partition,
    bytes: withoutOffsets(fetched.bytes, ranges),
    nextOffset: offset(behind(Number(fetched.nextOffset), ranges)),
  };
}

/** The offset itself, or the first behind the ranges that it lies in. */
function behind(at: number, ranges: readonly OffsetRange[] = []): number {
  let passed = at;
  for (;;) {
    const within = ranges.find(({ from, to }) => from <= passed && passed < to);
    if (!within) return passed;
    passed = within.to;
  }
}
