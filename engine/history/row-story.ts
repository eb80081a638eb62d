import type { AnyRow } from "../columns.ts";
import type { StoredEvent } from "../ports/event-store.ts";
import type { Answer, ReadModelReader, ReadPosition } from "../ports/read-model-reader.ts";
import type { Offset } from "../position.ts";
import type { AnyProjection, ErasedEventProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { topicsOf } from "../task/pipeline.ts";
import { changedColumns } from "./changed-columns.ts";
import { cutsAt } from "./cuts-at.ts";
import { narrowedTo, partitionOfRow, recordKeyOfRow } from "./narrowed.ts";
import { observed, type ObservedStep } from "./observed.ts";
import { foldPast } from "./past-fold.ts";
import { passedOver } from "./passed-over.ts";
import type { KeyHistoryOptions } from "./refold-key.ts";
import { assertSettled, settledUntil } from "./settled.ts";
import { TaggedHistory } from "./tagged-history.ts";

export interface StoryOptions extends Omit<KeyHistoryOptions, "projections"> {
  readonly reader: Pick<ReadModelReader, "get">;
}

export interface StoryAsk {
  readonly key: string;
  /** What was recorded at or before this time; left out: all, compared with the row as it stands. */
  readonly atMs?: number | undefined;
  /** The last so many steps are told; the others are counted. */
  readonly stepsMax: number;
}

export interface RowStep extends ObservedStep {
  /** The event with its envelope, where the event store told; undefined: the log did. */
  readonly event: StoredEvent | undefined;
  /** Has what serves come to it? undefined where a time of the past was asked for. */
  readonly isApplied: boolean | undefined;
}

export interface RowStory {
  /** In order of folding. */
  readonly steps: readonly RowStep[];
  /** Steps before those. */
  readonly earlier: number;
  readonly source: "event store" | "log";
  /** As all the steps leave it; undefined: there is no such row. */
  readonly row: AnyRow | undefined;
  /** The row that is served; undefined where a time of the past was asked for. */
  readonly stored: StoredRow | undefined;
}

export interface StoredRow {
  readonly generation: number;
  readonly row: AnyRow | undefined;
  /** As the steps that it has come to leave it: what it ought to be. */
  readonly expected: AnyRow | undefined;
  readonly differs: boolean;
}

/**
 * Tells how one row became what it is: what each record has changed, folded anew with the
 * projection's own code, out of the event store where the projection declares its rows' tags,
 * otherwise out of the log from its beginning. Records that operators have left out, and those that
 * wait behind a dead letter, aren't among the steps: the row lacks them too.
 *
 * @throws What `KeyHistory.asOf` does; FatalError `no-generation` where nothing serves and no time
 * was asked for.
 */
export async function rowStory(
  options: StoryOptions,
  projection: AnyProjection,
  ask: StoryAsk,
): Promise<RowStory> {
  const kept = new LastSteps(ask.stepsMax);
  const stored =
    ask.atMs === undefined ? await options.reader.get(projection.name, ask.key) : undefined;
  const expected = new Expected(stored);
  const see = (step: ObservedStep): void => {
    kept.add(step);
    expected.see(step);
  };
  const folding = { ...ask, projection: observed(projection, see) };
  const tags = projection.kind === "events" ? projection.history?.(ask.key) : undefined;
  const events = tags && (await foldTagged(options, folding, tags));
  if (tags === undefined) await foldLog(options, folding);
  return {
    steps: kept.steps.map((step) => ({
      ...step,
      event: events?.get(placeOfStep(step)),
      isApplied: expected.has(step),
    })),
    earlier: kept.earlier,
    source: tags === undefined ? "log" : "event store",
    row: kept.last?.after,
    stored: stored && expected.comparedWith(stored, projection),
  };
}

interface Folding extends StoryAsk {
  /** The one that tells of its folds. */
  readonly projection: AnyProjection;
}

/** @returns The events that were read, by `placeOfStep`. */
async function foldTagged(
  options: StoryOptions,
  { projection, key, atMs }: Folding,
  tags: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const { eventStore, deadLetters } = options;
  if (atMs !== undefined) assertSettled(atMs, await settledUntil(eventStore, { tags }));
  const time = atMs === undefined ? {} : { atMs };
  const of = { projection: projection.name, generation: undefined };
  const over = await passedOver(deadLetters, of);
  const history = new TaggedHistory(projection as ErasedEventProjection, options);
  await history.fold(tags, { key, passedOver: over, ...time });
  const events = new Map<string, StoredEvent>();
  for await (const page of eventStore.read({ items: [{ tags }], ...time })) {
    for (const event of page) {
      events.set(placeOfStep({ ...event, sequence: Number(event.sequence) }), event);
    }
  }
  return events;
}

async function foldLog(options: StoryOptions, { projection, key, atMs }: Folding): Promise<void> {
  const { captureGraceMs, deadLetters } = options;
  const partition = partitionOfRow(projection, key);
  const partitions = partition === undefined ? undefined : new Set([partition]);
  const cuts =
    atMs === undefined
      ? await endsOf(options, projection, partition)
      : await cutsAt(options, projection, { atMs, captureGraceMs, partitions });
  await foldPast(options, {
    projection: narrowedTo(projection, (one) => one === key),
    cuts,
    passedOver: await passedOver(deadLetters, {
      projection: projection.name,
      generation: undefined,
    }),
    rowsMax: 1,
    onlyKey: recordKeyOfRow(projection, key),
  });
}

async function endsOf(
  { log }: Pick<StoryOptions, "log">,
  projection: AnyProjection,
  only: number | undefined,
): Promise<Cuts> {
  const ends = new Map<string, Offset>();
  for (const { name: topic } of topicsOf(projection)) {
    for (const { partition, end } of await log.bounds(topic)) {
      if (only === undefined || only === partition) ends.set(placeOf({ topic, partition }), end);
    }
  }
  return ends;
}

const placeOfStep = (at: Pick<ObservedStep, "topic" | "partition" | "sequence">): string =>
  `${placeOf(at)}:${at.sequence}`;

/** The last steps of however many there are. */
class LastSteps {
  readonly #max: number;
  #steps: ObservedStep[] = [];
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(step: ObservedStep): void {
    this.#steps.push(step);
    // Halved now and then, not shifted each time.
    if (this.#steps.length < 2 * this.#max) return;
    this.#dropped += this.#steps.length - this.#max;
    this.#steps = this.#steps.slice(-this.#max);
  }

  get last(): ObservedStep | undefined {
    return this.#steps.at(-1);
  }

  get steps(): readonly ObservedStep[] {
    return this.#steps.slice(-this.#max);
  }

  get earlier(): number {
    return this.#dropped + Math.max(0, this.#steps.length - this.#max);
  }
}

/** The row as the records leave it that its read model has come to. */
class Expected {
  readonly #positions: ReadonlyMap<string, ReadPosition> | undefined;
  #row: AnyRow | undefined;

  constructor(stored: Answer<unknown> | undefined) {
    this.#positions = stored && new Map(stored.positions.map((one) => [placeOf(one), one]));
  }

  see(step: ObservedStep): void {
    if (this.has(step) === true) this.#row = step.after;
  }

  /** undefined: nothing is compared. */
  has(step: ObservedStep): boolean | undefined {
    if (this.#positions === undefined) return undefined;
    const at = this.#positions.get(placeOf(step))?.position;
    if (at === undefined) return false;
    const { source, nextOffset } = at;
    return source.kind === "lane"
      ? Number(source.nextSequence) > step.sequence
      : Number(nextOffset) > step.offset;
  }

  comparedWith(
    { result: row, generation }: Answer<AnyRow | undefined>,
    projection: AnyProjection,
  ): StoredRow {
    const expected = this.#row;
    return { generation, row, expected, differs: differ(projection, row, expected) };
  }
}

/** A row that isn't there differs from one that is, whatever stands in it. */
const differ = (
  projection: AnyProjection,
  one: AnyRow | undefined,
  other: AnyRow | undefined,
): boolean =>
  (one === undefined) !== (other === undefined) ||
  changedColumns(projection, one, other).length > 0;
