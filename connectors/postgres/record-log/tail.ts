import { offset } from "../../../engine/position.ts";
import type { FetchedPartition, PartitionBounds } from "../../../engine/ports/record-log.ts";
import type { FetchAnswer, Reading } from "./fetch.ts";

export interface TailLimits {
  /** Of all batches that are kept; the oldest make room. */
  readonly bytesMax: number;
  /** A batch is given to readers for so long; whoever comes later fetches it. */
  readonly ageMaxMs: number;
}

/** What was found where a partition's end had been known to be. */
export interface TailFound {
  readonly topicNumber: number;
  readonly partition: number;
  /** Undefined: the partition is gone. */
  readonly bounds: PartitionBounds | undefined;
  /** From the known end on, in order; not all of them where they are too many. */
  readonly batches: readonly TailBatch[];
}

export interface TailBatch {
  readonly baseOffset: number;
  /** The offset after its last record. */
  readonly nextOffset: number;
  readonly bytes: Buffer;
}

/**
 * What lies before a reader. `elsewhere`: something that isn't kept here, or a partition is gone;
 * `unknown`: a partition that was never looked at.
 */
export type Ahead =
  | { readonly state: "here"; readonly answer: FetchAnswer }
  | { readonly state: "nothing" | "elsewhere" | "unknown" };

interface Partition {
  bounds: PartitionBounds | undefined;
  /** Without a gap up to the end, or none. */
  batches: Kept[];
}

interface Kept extends TailBatch {
  readonly atMs: number;
}

/**
 * The ends of partitions as they were last seen, and the batches that came last, for all readers of
 * a process: each would fetch the same ones.
 */
export class Tail {
  readonly #limits: TailLimits;
  readonly #topics = new Map<number, Map<number, Partition>>();
  /** In the order in which they came: the oldest are the first. */
  readonly #kept = new Map<Kept, Partition>();
  #bytes = 0;

  constructor(limits: TailLimits) {
    this.#limits = limits;
  }

  /** Where what is new begins; undefined where the end was never seen. */
  endOf(topicNumber: number, partition: number): number | undefined {
    const bounds = this.#topics.get(topicNumber)?.get(partition)?.bounds;
    return bounds && Number(bounds.end);
  }

  /** @param nowMs On a clock that never goes back. */
  take({ topicNumber, partition, bounds, batches }: TailFound, nowMs: number): void {
    const partitions = this.#topics.get(topicNumber) ?? new Map<number, Partition>();
    this.#topics.set(topicNumber, partitions);
    const found = partitions.get(partition) ?? { bounds: undefined, batches: [] };
    partitions.set(partition, found);
    const known = found.bounds && Number(found.bounds.end);
    if (known === undefined || !reaches(batches, known, bounds)) this.#drop(found);
    else for (const batch of batches) this.#keep(found, { ...batch, atMs: nowMs });
    found.bounds = bounds;
  }

  ahead({ topicNumber, next, bytesMax }: Reading, nowMs: number): Ahead {
    this.#forget(nowMs);
    const partitions = this.#topics.get(topicNumber);
    const bounds: PartitionBounds[] = [];
    const taken: Taken[] = [];
    for (const [partition, from] of next) {
      const found = partitions?.get(partition);
      if (found === undefined) return { state: "unknown" };
      if (found.bounds === undefined) return { state: "elsewhere" };
      bounds.push(found.bounds);
      if (from >= Number(found.bounds.end)) continue;
      const batches = batchesFrom(found.batches, from, bytesMax);
      if (batches === undefined) return { state: "elsewhere" };
      taken.push({ partition, batches });
    }
    if (taken.length === 0) return { state: "nothing" };
    return { state: "here", answer: answerOf(taken, bounds) };
  }

  /** Readers of a topic have ended: its ends are no longer followed. */
  leave(topicNumber: number): void {
    for (const partition of this.#topics.get(topicNumber)?.values() ?? []) this.#drop(partition);
    this.#topics.delete(topicNumber);
  }

  #keep(partition: Partition, batch: Kept): void {
    partition.batches.push(batch);
    this.#kept.set(batch, partition);
    this.#bytes += batch.bytes.length;
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= this.#limits.bytesMax) return;
      this.#remove(oldest);
    }
  }

  #forget(nowMs: number): void {
    for (const [batch] of this.#kept) {
      if (nowMs - batch.atMs <= this.#limits.ageMaxMs) return;
      this.#remove(batch);
    }
  }

  /** The oldest of all is the first of its partition too. */
  #remove(batch: Kept): void {
    this.#kept.get(batch)?.batches.shift();
    this.#kept.delete(batch);
    this.#bytes -= batch.bytes.length;
  }

  #drop(partition: Partition): void {
    for (const batch of partition.batches) {
      this.#kept.delete(batch);
      this.#bytes -= batch.bytes.length;
    }
    partition.batches = [];
  }
}

/** From the known end to the new one, without a gap: none that is skipped, deleted or left out. */
function reaches(
  batches: readonly TailBatch[],
  from: number,
  bounds: PartitionBounds | undefined,
): boolean {
  let at = from;
  for (const { baseOffset, nextOffset } of batches) {
    if (baseOffset !== at) return false;
    at = nextOffset;
  }
  return bounds !== undefined && at === Number(bounds.end);
}

/** Undefined where the offset lies before what is kept. */
function batchesFrom(
  batches: readonly TailBatch[],
  from: number,
  bytesMax: number,
): TailBatch[] | undefined {
  const first = batches.findIndex(({ nextOffset }) => nextOffset > from);
  const begin = batches[first];
  if (begin === undefined || begin.baseOffset > from) return undefined;
  let bytes = 0;
  let end = first;
  for (const batch of batches.slice(first)) {
    if (bytes > 0 && bytes + batch.bytes.length > bytesMax) break;
    bytes += batch.bytes.length;
    end += 1;
  }
  return batches.slice(first, end);
}

interface Taken {
  readonly partition: number;
  /** Not empty. */
  readonly batches: readonly TailBatch[];
}

function answerOf(taken: readonly Taken[], bounds: readonly PartitionBounds[]): FetchAnswer {
  const fetched = taken.map(({ partition, batches }): FetchedPartition => {
    const [first] = batches;
    const bytes = batches.map((batch) => batch.bytes);
    return {
      partition,
      bytes: first && bytes.length === 1 ? first.bytes : Buffer.concat(bytes),
      nextOffset: offset(BigInt(batches.at(-1)?.nextOffset ?? 0)),
    };
  });
  return {
    fetched,
    bounds,
    batches: taken.reduce((sum, { batches }) => sum + batches.length, 0),
    bytes: fetched.reduce((sum, { bytes }) => sum + bytes.length, 0),
  };
}
