import { FatalError } from "../errors.ts";
import { usableSnapshot } from "../history/usable-snapshot.ts";
import { offset, type Offset } from "../position.ts";
import type { PartitionBounds, RecordLog, TopicInfo } from "../ports/record-log.ts";
import type { RebuildFrom, RebuildPlan } from "../ports/rebuilds.ts";
import type { SnapshotInfo, Snapshots } from "../ports/snapshots.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";

/** A partition that the rebuild reads, as the log has it now. */
export interface LogPlace extends PartitionBounds {
  readonly topic: string;
  readonly logId: string;
}

export interface StartQuestion {
  readonly projection: AnyProjection;
  readonly from: RebuildFrom;
  readonly places: readonly LogPlace[];
  readonly log: Pick<RecordLog, "offsetsAt">;
  readonly snapshots: Pick<Snapshots, "list">;
  readonly nowMs: number;
  /** Where what serves stands: the shadow must not begin beyond. */
  readonly live: Cuts;
}

export interface PlannedStart {
  readonly start: RebuildPlan["start"];
  /** The first record to be read of each partition. */
  readonly from: Cuts;
  readonly warnings: readonly string[];
}

/** Every partition that a projection reads. */
export async function logPlaces(
  log: Pick<RecordLog, "topics" | "bounds">,
  topics: readonly { readonly name: string }[],
): Promise<LogPlace[]> {
  const known: readonly TopicInfo[] = await log.topics();
  const places: LogPlace[] = [];
  for (const { name: topic } of topics) {
    const logId = known.find(({ name }) => name === topic)?.id ?? "";
    for (const of of await log.bounds(topic)) places.push({ ...of, topic, logId });
  }
  return places;
}

/**
 * Where a rebuild can soundly begin: with a snapshot that was audited against the log and holds
 * nothing beyond what was asked for, or with the log's beginning, as long as it is there. Recorded
 * times never go back in a partition, so everything before the offsets of a time is older than it.
 *
 * @throws FatalError `at-in-future`, `beyond-end`, `partition-unknown`, `history-gone`.
 */
export async function plannedStart(question: StartQuestion): Promise<PlannedStart> {
  assertComparable(question);
  const { projection, places, from: asked } = question;
  const wanted = await wantedOffsets(question);
  const snapshot = await startingSnapshot(question, wanted);
  if (snapshot) return withSnapshot(snapshot, places);
  if (asked.kind !== "earliest" && projection.overwrites === true) return cold(question, wanted);
  const begun: Cuts = new Map(places.map((place) => [placeOf(place), place.start]));
  const gone = places.filter(({ start }) => start > 0n);
  if (gone.length === 0) return { start: { kind: "beginning" }, from: begun, warnings: [] };
  if (projection.overwrites === true) return cold(question, begun);
  throw historyGone(projection, gone, asked);
}

/**
 * A shadow is compared with what serves at the same place. One that has stopped before the log's
 * beginning can't be met anywhere.
 */
function assertComparable({ projection: { name }, places, live }: StartQuestion): void {
  const stopped = places.filter((place) => (live.get(placeOf(place)) ?? place.start) < place.start);
  if (stopped.length === 0) return;
  const where = stopped
    .map((place) => `${placeOf(place)} at offset ${live.get(placeOf(place))}, not ${place.start}`)
    .join(", ");
  throw new FatalError(
    "history-gone",
    `Retention has taken records that ${name} had not applied, and what serves stopped there ` +
      `(${where}): nothing that is rebuilt from what is left can be compared with it.`,
    "Restore the log, or define the projection under another name, which begins with what is left.",
  );
}

/** What was asked for, as offsets; `earliest`: everything, whatever the snapshot. */
async function wantedOffsets(question: StartQuestion): Promise<Cuts> {
  const { from, places } = question;
  switch (from.kind) {
    case "earliest":
      return new Map(places.map((place) => [placeOf(place), place.end]));
    case "time":
      return offsetsAt(question, from.atMs);
    case "positions":
      return offsetsTold(from.offsets, places);
    default:
      return from satisfies never;
  }
}

async function offsetsAt({ places, log, nowMs }: StartQuestion, atMs: number): Promise<Cuts> {
  if (atMs > nowMs) {
    const at = new Date(atMs).toISOString();
    throw new FatalError("at-in-future", `${at} is in the future.`, "Name a time that has passed.");
  }
  const cuts = new Map<string, Offset>();
  for (const topic of new Set(places.map((place) => place.topic))) {
    for (const [partition, at] of await log.offsetsAt(topic, atMs)) {
      cuts.set(placeOf({ topic, partition }), at);
    }
  }
  return cuts;
}

function offsetsTold(
  told: Extract<RebuildFrom, { kind: "positions" }>["offsets"],
  places: readonly LogPlace[],
): Cuts {
  const cuts = new Map<string, Offset>(places.map((place) => [placeOf(place), place.start]));
  for (const one of told) {
    const name = placeOf(one);
    const place = places.find((of) => placeOf(of) === name);
    if (place === undefined) {
      const message = `The projection doesn't read ${name}.`;
      throw new FatalError("partition-unknown", message, "Name partitions that it reads.");
    }
    if (one.offset > place.end) {
      throw new FatalError(
        "beyond-end",
        `${name} ends at offset ${place.end}, and the rebuild should begin at ${one.offset}.`,
        "Name an offset that the log has.",
      );
    }
    cuts.set(name, offset(one.offset));
  }
  return cuts;
}

/**
 * The newest one that holds nothing beyond what was asked for. For `earliest` one is needed only
 * where the log's beginning is gone: then the oldest from which the log still goes on.
 */
async function startingSnapshot(
  { projection, from, places, snapshots }: StartQuestion,
  cuts: Cuts,
): Promise<SnapshotInfo | undefined> {
  const earliest = from.kind === "earliest";
  if (earliest && places.every(({ start }) => start === 0n)) return undefined;
  const { name, version } = projection;
  const atMs = from.kind === "time" ? from.atMs : undefined;
  const wanted = { projection: name, version, cuts, atMs };
  let found: SnapshotInfo | undefined;
  for (;;) {
    const before = found === undefined ? {} : { before: found.id };
    const next = await usableSnapshot(snapshots, { ...wanted, ...before });
    if (next === undefined || !goesOn(next, places)) return found;
    found = next;
    if (!earliest) return found;
  }
}

/** Does the log still have everything that came after the snapshot, and is it the same log? */
function goesOn({ positions }: SnapshotInfo, places: readonly LogPlace[]): boolean {
  const stands = new Map(positions.map((one) => [placeOf(one), one.position]));
  return places.every((place) => {
    const at = stands.get(placeOf(place));
    if (at === undefined) return place.start === 0n;
    return at.logId === place.logId && at.nextOffset >= place.start && at.nextOffset <= place.end;
  });
}

function withSnapshot(info: SnapshotInfo, places: readonly LogPlace[]): PlannedStart {
  const stands = new Map(info.positions.map((one) => [placeOf(one), one.position.nextOffset]));
  return {
    start: { kind: "snapshot", snapshot: info.id, takenAtMs: info.takenAtMs },
    from: new Map(places.map((one) => [placeOf(one), stands.get(placeOf(one)) ?? one.start])),
    warnings: [],
  };
}

/** Each event sets its whole row, so that nothing from before is needed for those that come. */
function cold({ projection, places, live }: StartQuestion, wanted: Cuts): PlannedStart {
  const from = new Map<string, Offset>();
  for (const place of places) {
    const name = placeOf(place);
    // A shadow never overtakes what serves.
    const most = live.get(name) ?? place.start;
    const asked = wanted.get(name) ?? place.start;
    const at = asked < most ? asked : most;
    from.set(name, at > place.start ? at : place.start);
  }
  const missing = `Rows of ${projection.name} whose keys have no record from there on will be missing.`;
  return { start: { kind: "cold" }, from, warnings: [missing] };
}

function historyGone(
  { name, version }: AnyProjection,
  gone: readonly LogPlace[],
  asked: RebuildFrom,
): FatalError {
  const left = gone.map((place) => `${placeOf(place)} begins at offset ${place.start}`).join(", ");
  const when = asked.kind === "earliest" ? "" : " at or before what was asked for";
  return new FatalError(
    "history-gone",
    `${name} can't be rebuilt soundly: retention has taken the log's beginning (${left}), and no ` +
      `audited snapshot of version ${version}${when} goes on from what is left.`,
    "Begin from a later time that a snapshot covers, or restore the log.",
  );
}
