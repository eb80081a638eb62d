import { FatalError } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { Generation, ReadModelStore } from "../ports/read-model-store.ts";
import type { PlannedPartition, RebuildPlan, RebuildRequest } from "../ports/rebuilds.ts";
import type { RecordLog } from "../ports/record-log.ts";
import type { Snapshots } from "../ports/snapshots.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { topicsOf } from "../task/pipeline.ts";
import { openLetters } from "./letters.ts";
import { type Sample, sample } from "./plan-sample.ts";
import { type LogPlace, logPlaces, plannedStart } from "./plan-start.ts";

export interface PlanLimits {
  /** Of each topic, for the estimates. */
  readonly sampleRecordsMax: number;
  readonly sampleBytesMax: number;
  readonly sampleMs: number;
}

export const defaultPlanLimits: PlanLimits = {
  sampleRecordsMax: 20_000,
  sampleBytesMax: 4 * 1024 * 1024,
  sampleMs: 500,
};

export interface PlanOptions {
  /** Of the version that is to be built. */
  readonly projection: AnyProjection;
  readonly request: Pick<RebuildRequest, "from">;
  /** What serves now. */
  readonly serving: Generation;
  readonly log: Pick<RecordLog, "topics" | "bounds" | "read" | "offsetsAt">;
  readonly snapshots: Pick<Snapshots, "list">;
  readonly readModels: Pick<ReadModelStore, "positions">;
  readonly deadLetters: DeadLetters | undefined;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<PlanLimits>;
}

/**
 * What a rebuild will read and where it begins, without doing anything of it. What can't be sound
 * is refused.
 *
 * @throws FatalError with its remedy: `history-gone`, `letters-open`, `at-in-future`, `beyond-end`,
 * `partition-unknown`, `topic-unknown`; TransientError when log or stores can't be asked.
 */
export async function planRebuild(options: PlanOptions): Promise<RebuildPlan> {
  const { projection, request, serving, log, snapshots, readModels, clock } = options;
  const places = await logPlaces(log, topicsOf(projection));
  const letters = await letterWarnings(options, places);
  const live: Cuts = new Map(
    (await readModels.positions(serving)).flatMap((one) =>
      one.position ? [[placeOf(one), one.position.nextOffset] as const] : [],
    ),
  );
  const nowMs = clock.nowMs();
  const question = { projection, from: request.from, places, log, snapshots, nowMs, live };
  const { start, from, warnings } = await plannedStart(question);
  const measured = await sample(sampleOptions(options, places), from);
  const partitions = places.map((place) => plannedPartition(place, from, measured));
  const events = partitions.reduce((sum, of) => sum + of.events, 0);
  return {
    start,
    partitions,
    events,
    bytes: totalBytes(partitions),
    seconds:
      measured.recordsPerSecond === undefined ? undefined : events / measured.recordsPerSecond,
    schemas: measured.schemas,
    warnings: [...letters, ...warnings, ...takenWarnings(places), ...measured.warnings],
  };
}

function sampleOptions(options: PlanOptions, places: readonly LogPlace[]) {
  const { projection, log, codec, clock, random } = options;
  const limits = { ...defaultPlanLimits, ...options.limits };
  const { sampleRecordsMax: recordsMax, sampleBytesMax: bytesMax, sampleMs: timeMs } = limits;
  return { projection, log, codec, clock, random, places, recordsMax, bytesMax, timeMs };
}

/**
 * Records that the serving generation has set aside would stop a shadow of the same definition;
 * another version may know what to do with them.
 */
async function letterWarnings(
  { projection, serving, deadLetters }: PlanOptions,
  places: readonly LogPlace[],
): Promise<string[]> {
  const { generation, version } = serving;
  const open = await openLetters(deadLetters, { consumer: projection.name, generation, places });
  if (open === 0) return [];
  const message = `${open} records of ${projection.name} are set aside and neither redriven nor discarded.`;
  if (version !== projection.version) {
    return [`${message} The rebuild stops at the first that this version can't fold either.`];
  }
  throw new FatalError(
    "letters-open",
    message,
    "Redrive or discard them first (refold dlq): the rebuild would stop at the first of them.",
  );
}

function plannedPartition(
  place: LogPlace,
  starts: Cuts,
  { recordBytes }: Sample,
): PlannedPartition {
  const { topic, partition, start, end } = place;
  const from = starts.get(placeOf(place)) ?? start;
  const events = Math.max(0, Number(end - from));
  const each = recordBytes.get(topic);
  // A partition begins at 0: what lies before its first record was there.
  const taken = start;
  const bytes = each === undefined ? undefined : Math.round(events * each);
  return { topic, partition, from, end, start, taken, events, bytes };
}

function totalBytes(partitions: readonly PlannedPartition[]): number | undefined {
  const known = partitions.filter(({ bytes }) => bytes !== undefined);
  if (known.length === 0) return undefined;
  return known.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}

function takenWarnings(places: readonly LogPlace[]): string[] {
  const taken = places.filter(({ start }) => start > 0n);
  if (taken.length === 0) return [];
  const records = taken.reduce((sum, { start }) => sum + start, 0n);
  return [`Retention has taken ${records} records of ${taken.map(placeOf).join(", ")}.`];
}
