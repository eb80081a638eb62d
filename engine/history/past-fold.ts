import { digestsOf } from "../digest.ts";
import { FatalError } from "../errors.ts";
import type { RowPosition } from "../ports/row-source.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";
import type { Generation, ReadModel } from "../ports/read-model-store.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { isOvertaken } from "../replay/overtaken.ts";
import { Replay } from "../replay/replay.ts";
import { topicsOf } from "../task/pipeline.ts";
import { readModelOf } from "../task/projection-store.ts";
import { LimitedStore } from "./limited-store.ts";
import type { PassedOver } from "./passed-over.ts";
import type { HistorySource } from "./source.ts";

/** Rows and the positions at which they are true. */
export interface PastStart {
  readonly at: readonly RowPosition[];
  readonly rows: AsyncIterable<readonly SnapshotRow[]>;
}

export interface PastFold {
  readonly projection: AnyProjection;
  /** Left out: the log's beginning. */
  readonly start?: PastStart | undefined;
  /** By partition: the first record that is not wanted. Partitions without one have none. */
  readonly cuts: Cuts;
  readonly passedOver: PassedOver;
  readonly rowsMax: number;
  /** See `PipelineOptions`. */
  readonly onlyKey?: Uint8Array | undefined;
  readonly signal?: AbortSignal;
  /** See `ReplayTo`. */
  readonly pace?: (offsets: number) => Promise<void>;
}

/** What a fold of the past has made; nobody writes to it any more. */
export interface PastModel {
  readonly model: ReadModel;
  readonly store: LimitedStore;
  readonly generation: Generation;
}

/**
 * Folds the log up to exact cuts into memory, with the task that folds it live: a record that can't
 * be folded stops it, duplicates and holes are seen.
 *
 * @throws FatalError `history-gone`, `history-too-large`, `replay-halted`, `history-ended` when
 * `signal` has ended it; TransientError.
 */
export async function foldPast(source: HistorySource, fold: PastFold): Promise<PastModel> {
  const { projection } = fold;
  await assertHeld(source, fold);
  const store = new LimitedStore(fold.rowsMax);
  const model = readModelOf(projection);
  const generation = await store.open(model);
  if (fold.start) await seed(store, generation, { ...fold.start, model });
  const past = { model, store, generation };
  await foldOn(source, past, fold);
  return past;
}

/** Goes on to later cuts with what was folded before. Throws what `foldPast` does. */
export async function foldOn(
  source: HistorySource,
  { store, generation }: PastModel,
  fold: Omit<PastFold, "start" | "rowsMax">,
): Promise<void> {
  const { projection, cuts, pace, onlyKey, signal = new AbortController().signal } = fold;
  const { log, codec, clock, random } = source;
  try {
    const { offsets: discarded, edited: values } = fold.passedOver;
    const edited = values.byOffset;
    const consumer = `${projection.name}~past`;
    const shared = { projection, generation, store, log, codec, clock, random, onlyKey };
    await using replay = await Replay.begin({ ...shared, consumer, discarded, edited });
    await replay.to(cuts, { signal, ...(pace ? { pace } : {}) });
  } catch (error) {
    throw store.refusal ?? asGone(error, projection);
  }
  if (signal.aborted) throw ended(projection);
}

/** Puts rows and positions into a generation of which nothing was flushed. */
async function seed(
  store: LimitedStore,
  generation: Generation,
  { at, rows, model }: PastStart & { readonly model: ReadModel },
): Promise<void> {
  const { columns } = model;
  const nothing = { advances: [], digests: [], notices: [], deadLetters: [] };
  for await (const page of rows) {
    const digests = [...digestsOf(columns, page)].map(([bucket, of]) => ({ bucket, ...of }));
    await store.flush({ ...nothing, generation, rows: page, digests });
  }
  const owned = await store.claim(generation, at);
  const advances = owned.map(({ topic, partition, epoch, position: from }, index) => {
    const { position: to } = at[index] as RowPosition;
    return { topic, partition, epoch, from, to, records: 0, lastRecordedAtMs: undefined };
  });
  await store.flush({ ...nothing, generation, advances, rows: [] });
}

/** Does the log still have everything from where the fold begins up to the cuts? */
async function assertHeld({ log }: HistorySource, fold: PastFold): Promise<void> {
  const { projection, cuts, start } = fold;
  const begins = new Map(start?.at.map((one) => [placeOf(one), one.position.nextOffset]));
  const gone: string[] = [];
  for (const { name: topic } of topicsOf(projection)) {
    for (const { partition, start: first } of await log.bounds(topic)) {
      const place = placeOf({ topic, partition });
      const from = begins.get(place) ?? 0n;
      const cut = cuts.get(place) ?? 0n;
      if (from < cut && from < first) gone.push(`${place} from ${from} to ${first - 1n}`);
    }
  }
  if (gone.length > 0) throw historyGone(projection, gone.join(", "));
}

export const historyGone = ({ name }: AnyProjection, what: string): FatalError =>
  new FatalError(
    "history-gone",
    `${name} can't be told at this place: retention has taken records that it needs (${what}).`,
    "Ask for a later time, for which an audited snapshot stands beside what the log still has.",
  );

/** Retention may overtake a fold on its way. */
function asGone(error: unknown, projection: AnyProjection): unknown {
  return isOvertaken(error) ? historyGone(projection, error.message) : error;
}

const ended = ({ name }: AnyProjection): FatalError =>
  new FatalError(
    "history-ended",
    `The fold of ${name}'s past was ended before its place was reached.`,
    "Ask again.",
  );
