import { type Offset, offset } from "../../engine/position.ts";
import type {
  FetchedPartition,
  PartitionBounds,
  RecordLog,
} from "../../engine/ports/record-log.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import type { NoticeReader } from "./notice-reader.ts";
import type { Notice, PositionVector } from "./update.ts";

export interface ReplaySource {
  readonly log: Pick<RecordLog, "bounds" | "read">;
  readonly notices: NoticeReader;
}

/** Where a replay begins, or why it can't give everything that was missed. */
export type ReplayStart =
  | { readonly outcome: "found"; readonly from: ReadonlyMap<number, Offset> }
  | { readonly outcome: "lost" | "too-many" };

const topic = registrationUpdates.name;

/** Finds the offsets after a vector. Partitions with nothing new are left out. */
export async function replayStart(
  source: ReplaySource,
  vector: PositionVector,
  limits: { readonly replayMax: number; readonly signal: AbortSignal },
): Promise<ReplayStart> {
  const from = new Map<number, Offset>();
  let records = 0n;
  for (const bounds of await source.log.bounds(topic)) {
    if (bounds.start === bounds.end) continue;
    const last = vector.get(bounds.partition);
    const first = await offsetAfter(source, { bounds, last, signal: limits.signal });
    if (first === undefined) return { outcome: "lost" };
    if (first < bounds.end) from.set(bounds.partition, first);
    records += bounds.end - first;
  }
  if (records > BigInt(limits.replayMax)) return { outcome: "too-many" };
  return { outcome: "found", from };
}

interface Search {
  readonly bounds: PartitionBounds;
  /** The last sequence that was seen. */
  readonly last: number;
  readonly signal: AbortSignal;
}

/**
 * An offset at or before the first record whose sequence is above `last`; undefined when retention
 * has taken records between. Sequences rise by one from record to record (a record that was
 * published again only lags), so going back by the difference of two sequences never goes back too
 * little; each step finds a lower sequence, and the first guess (the log as dense as the lane) is
 * nearly always right.
 */
async function offsetAfter(source: ReplaySource, search: Search): Promise<Offset | undefined> {
  const { start, end } = search.bounds;
  const wanted = search.last + 1;
  let guess = clamp(BigInt(search.last), start, end - 1n);
  for (;;) {
    const found = await sequenceAt(source, search, offset(guess));
    // Nothing but records of others from here on: nothing is missed by beginning here.
    if (found === undefined || found <= wanted) return offset(guess);
    if (guess === start) return undefined;
    guess = clamp(guess - BigInt(found - wanted), start, guess - 1n);
  }
}

async function sequenceAt(
  { log, notices }: ReplaySource,
  { bounds, signal }: Search,
  at: Offset,
): Promise<number | undefined> {
  const from = new Map([[bounds.partition, at]]);
  for await (const fetch of log.read({ topic, from, until: "end", fetchBytesMax: 1, signal })) {
    for (const fetched of fetch.partitions) {
      const found = await notices.firstSequence(fetched, at);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The notices from some offsets to the ends as they are now. */
export async function* replay(
  { log, notices }: ReplaySource,
  from: ReadonlyMap<number, Offset>,
  signal: AbortSignal,
): AsyncGenerator<Notice> {
  const next = new Map(from);
  if (next.size === 0) return;
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const fetched of fetch.partitions) {
      yield* notices.read(fetched, startOf(next, fetched));
      next.set(fetched.partition, fetched.nextOffset);
    }
  }
}

/** Fetched bytes may begin before what was asked for. */
export const startOf = (next: ReadonlyMap<number, Offset>, fetched: FetchedPartition): bigint =>
  next.get(fetched.partition) ?? 0n;

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low) return low;
  return value > high ? high : value;
}
