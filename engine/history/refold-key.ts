import type { AnyRow } from "../columns.ts";
import { FatalError } from "../errors.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";
import type { RowAsk, RowPosition, RowSource } from "../ports/row-source.ts";
import type { SnapshotInfo } from "../ports/snapshots.ts";
import { offset, type Sequence } from "../position.ts";
import type { AnyProjection, ErasedEventProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { cutsAt, type CutsOptions } from "./cuts-at.ts";
import { narrowedTo, partitionOfRow, recordKeyOfRow } from "./narrowed.ts";
import { foldPast, type PastStart } from "./past-fold.ts";
import { type PassedOver, passedOver } from "./passed-over.ts";
import { assertSettled, settledUntil } from "./settled.ts";
import type { HistorySource } from "./source.ts";
import { TaggedHistory, type TaggedRow } from "./tagged-history.ts";
import { usableSnapshot } from "./usable-snapshot.ts";

export interface KeyHistoryOptions extends HistorySource, CutsOptions {
  readonly projections: readonly AnyProjection[];
}

/** One row as it was at a time. */
export interface PastRow {
  /** undefined: there was none. */
  readonly row: AnyRow | undefined;
  /** The last event that counted, where the event store told; undefined: none, or the log did. */
  readonly last:
    | {
        readonly topic: string;
        readonly partition: number;
        readonly sequence: Sequence;
        readonly incarnation: string;
      }
    | undefined;
}

interface LogFold {
  readonly projection: AnyProjection;
  readonly key: string;
  readonly partitions: ReadonlySet<number> | undefined;
  readonly cuts: Cuts;
  /** The time that the cuts stand for, if they do. */
  readonly atMs?: number;
  readonly passedOver: PassedOver;
  /** See `ReplayTo`. */
  readonly pace?: (offsets: number) => Promise<void>;
}

/**
 * Single rows of projections, folded anew: out of the event store where the projection declares its
 * rows' tags, otherwise out of the log, from the newest audited snapshot before the place on, reading
 * only the row's partition where that is known and folding only the row's records.
 */
export class KeyHistory implements RowSource {
  readonly #options: KeyHistoryOptions;
  readonly #projections: ReadonlyMap<string, AnyProjection>;

  constructor(options: KeyHistoryOptions) {
    this.#options = options;
    this.#projections = new Map(options.projections.map((one) => [one.name, one]));
  }

  /** See `RowSource`. */
  async rowAt(ask: RowAsk): Promise<AnyRow | undefined> {
    const { of, key, partition, at, since, pace } = ask;
    const projection = this.projection(of.projection);
    const over = await passedOver(this.#options.deadLetters, of);
    const tags = tagsOf(projection, key);
    // What came since is a short piece of the log; the store would have to tell everything again.
    if (tags !== undefined && since === undefined && at.every(isLane)) {
      const sequences = new Map(at.map((one) => [placeOf(one), nextSequenceOf(one)]));
      const before = (lane: { topic: string; partition: number }): number | undefined =>
        sequences.get(placeOf(lane));
      const fold = { key, before, passedOver: over };
      return (await this.#tagged(projection).fold(tags, fold)).row;
    }
    const cuts = new Map(at.map((one) => [placeOf(one), one.position.nextOffset]));
    const partitions = new Set([partition]);
    const rest = { passedOver: over, ...(pace ? { pace } : {}) };
    const fold: LogFold = { projection, key, partitions, cuts, ...rest };
    return since === undefined
      ? this.#fromLog(fold)
      : this.#folded(fold, { at: since.at, rows: pageOf({ key, partition, row: since.row }) });
  }

  /**
   * The row as it was when everything recorded at or before a time had been folded, and nothing else.
   *
   * @throws RecordError `at-in-future`; TransientError `at-not-settled`; what `rowAt` does.
   */
  async asOf(name: string, key: string, atMs: number): Promise<PastRow> {
    const projection = this.projection(name);
    const of = { projection: name, generation: undefined };
    const tags = tagsOf(projection, key);
    if (tags !== undefined) {
      assertSettled(atMs, await settledUntil(this.#options.eventStore, { tags }));
      const over = await passedOver(this.#options.deadLetters, of);
      return pastRow(await this.#tagged(projection).fold(tags, { key, atMs, passedOver: over }));
    }
    const { captureGraceMs } = this.#options;
    const partition = partitionOfRow(projection, key);
    const partitions = partition === undefined ? undefined : new Set([partition]);
    const cuts = await cutsAt(this.#options, projection, { atMs, captureGraceMs, partitions });
    const over = await passedOver(this.#options.deadLetters, of);
    const fold = { projection, key, partitions, cuts, atMs, passedOver: over };
    return { row: await this.#fromLog(fold), last: undefined };
  }

  /** @throws FatalError `projection-unknown`. */
  projection(name: string): AnyProjection {
    const found = this.#projections.get(name);
    if (found !== undefined) return found;
    const known = [...this.#projections.keys()].sort().join(", ");
    throw new FatalError(
      "projection-unknown",
      `This code has no projection ${name}.`,
      `It has ${known === "" ? "none" : known}.`,
    );
  }

  /** The snapshot's row tells the partition, where nothing else does. */
  async #fromLog(fold: LogFold): Promise<AnyRow | undefined> {
    const { snapshots } = this.#options;
    const { projection, key } = fold;
    const { name, version } = projection;
    const wanted = { projection: name, version, cuts: fold.cuts, atMs: fold.atMs };
    const { partitions } = fold;
    const found = await usableSnapshot(snapshots, {
      ...wanted,
      ...(partitions ? { partitions } : {}),
    });
    if (found === undefined || snapshots === undefined) return this.#folded(fold, undefined);
    const stored = await snapshots.row(found.id, key);
    const narrow = stored ? { ...fold, partitions: new Set([stored.partition]) } : fold;
    const at = positionsIn(found, narrow.partitions);
    const rows = pageOf({ key, partition: stored?.partition ?? 0, row: stored?.row });
    return this.#folded(narrow, { at, rows });
  }

  async #folded(fold: LogFold, start: PastStart | undefined): Promise<AnyRow | undefined> {
    const { projection, key, partitions, passedOver: over, pace } = fold;
    const cuts = partitions === undefined ? fold.cuts : cutsOf(fold.cuts, partitions);
    const past = await foldPast(this.#options, {
      projection: narrowedTo(projection, (one) => one === key),
      start,
      cuts,
      passedOver: over,
      rowsMax: 1,
      onlyKey: recordKeyOfRow(projection, key),
      ...(pace ? { pace } : {}),
    });
    return (await past.store.load(past.generation, [key])).get(key);
  }

  #tagged(projection: AnyProjection): TaggedHistory {
    return new TaggedHistory(projection as ErasedEventProjection, this.#options);
  }
}

const tagsOf = (projection: AnyProjection, key: string): readonly string[] | undefined =>
  projection.kind === "events" ? projection.history?.(key) : undefined;

const isLane = ({ position }: RowPosition): boolean => position.source.kind === "lane";

const nextSequenceOf = ({ position: { source } }: RowPosition): number =>
  source.kind === "lane" ? Number(source.nextSequence) : 0;

function pastRow({ row, last }: TaggedRow): PastRow {
  if (last === undefined) return { row, last };
  const { topic, partition, sequence, incarnation } = last;
  return { row, last: { topic, partition, sequence, incarnation } };
}

async function* pageOf(one: {
  readonly key: string;
  readonly partition: number;
  readonly row: AnyRow | undefined;
}): AsyncGenerator<readonly SnapshotRow[]> {
  const { row } = one;
  if (row !== undefined) yield [{ ...one, row }];
}

const positionsIn = (
  { positions }: SnapshotInfo,
  partitions: ReadonlySet<number> | undefined,
): readonly RowPosition[] =>
  positions.filter(({ partition }) => partitions === undefined || partitions.has(partition));

/** `<topic>/<partition>`: the number follows the last slash. */
const cutsOf = (cuts: Cuts, partitions: ReadonlySet<number>): Cuts =>
  new Map(
    [...cuts].flatMap(([place, cut]) =>
      partitions.has(Number(place.slice(place.lastIndexOf("/") + 1)))
        ? [[place, offset(cut)] as const]
        : [],
    ),
  );
