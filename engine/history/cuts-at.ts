import type { PartitionBounds } from "../ports/record-log.ts";
import type { Offset } from "../position.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import type { ChangeTopic, EventTopic } from "../topic.ts";
import { changeCuts } from "./change-cuts.ts";
import { lastSequence } from "./last-record.ts";
import { assertSettled, notSettled, settledUntil } from "./settled.ts";
import type { HistorySource } from "./source.ts";

export interface CutsOptions {
  /**
   * How long a table's change, or a record of a topic that the event store doesn't know, may take to
   * its partition of the log: later times are settled only by a later record.
   */
  readonly captureGraceMs: number;
}

export interface TimeAsk extends CutsOptions {
  readonly atMs: number;
  /** Only these partitions are wanted, of every topic; left out: all. */
  readonly partitions?: ReadonlySet<number> | undefined;
}

/**
 * The log's offsets at a time: everything recorded at or before it stands below them, and nothing
 * else does.
 *
 * Of events the recorded time counts, which never goes back in a partition. Of row changes it is the
 * running maximum of their commit times. A time is settled where a later record stands behind it;
 * a lane that ends before it is compared with the event store's.
 *
 * @throws RecordError `at-in-future`; TransientError `at-not-settled`.
 */
export async function cutsAt(
  source: HistorySource,
  projection: AnyProjection,
  at: TimeAsk,
): Promise<Cuts> {
  const cuts = new Map<string, Offset>();
  if (projection.kind === "changes") {
    assertSettled(at.atMs, source.clock.nowMs());
    for (const [partition, cut] of await changesAt(source, projection.from, at)) {
      cuts.set(placeOf({ topic: projection.from.name, partition }), cut);
    }
    return cuts;
  }
  assertSettled(at.atMs, await source.eventStore.nowMs());
  for (const topic of projection.from) {
    for (const [partition, cut] of await eventsAt(source, topic, at)) {
      cuts.set(placeOf({ topic: topic.name, partition }), cut);
    }
  }
  return cuts;
}

/** Ends that were read before the offsets: what lies beyond a cut below them is later. */
async function eventsAt(
  source: HistorySource,
  { name }: EventTopic,
  at: TimeAsk,
): Promise<ReadonlyMap<number, Offset>> {
  const { partitions } = at;
  const all = await source.log.bounds(name);
  const ends = all.filter(({ partition }) => partitions?.has(partition) !== false);
  const cuts = await source.log.offsetsAt(name, at.atMs + 1, partitions);
  const open = ends.filter(({ partition, end }) => !isBelow(cuts.get(partition), end));
  if (open.length === 0) return cuts;
  assertSettled(at.atMs, await settledUntil(source.eventStore, {}));
  const lanes = await source.eventStore.lanes(name);
  const later = new Map((await source.log.bounds(name)).map((one) => [one.partition, one]));
  for (const { partition } of open) {
    const lane = lanes.find((one) => one.partition === partition);
    const bounds = later.get(partition) as PartitionBounds;
    if (lane === undefined && !lanesKnown(lanes)) assertGrace(source, at);
    const wanted = Number(lane?.lastSequence ?? 0);
    if (wanted === 0) continue;
    const reached = await lastSequence(source.log, { topic: name, partition }, bounds);
    if (reached < wanted) throw notSettled();
  }
  // The lanes' last events are in the log by now, and so is everything before them.
  return source.log.offsetsAt(name, at.atMs + 1, partitions);
}

const isBelow = (cut: Offset | undefined, end: Offset): boolean => cut !== undefined && cut < end;

/** A topic of which the event store has no lane at all is a stranger's. */
const lanesKnown = (lanes: readonly unknown[]): boolean => lanes.length > 0;

function assertGrace(
  { clock }: Pick<HistorySource, "clock">,
  { atMs, captureGraceMs }: TimeAsk,
): void {
  if (atMs > clock.nowMs() - captureGraceMs) throw notSettled();
}

async function changesAt(
  source: HistorySource,
  topic: ChangeTopic,
  at: TimeAsk,
): Promise<ReadonlyMap<number, Offset>> {
  const { cuts, isPassed } = await changeCuts(source, topic, at.atMs);
  // Changes are published in the order of their commits: a later one says that all earlier ones came.
  if (!isPassed) assertGrace(source, at);
  return cuts;
}
