import { TransientError } from "../errors.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";
import type { RowPosition } from "../ports/row-source.ts";
import type { AnyProjection } from "../projection.ts";
import { type Cuts, placeOf } from "../replay/cuts.ts";
import { cutsAt, type CutsOptions } from "./cuts-at.ts";
import { narrowedTo } from "./narrowed.ts";
import { foldPast, type PastModel, type PastStart } from "./past-fold.ts";
import { passedOver } from "./passed-over.ts";
import type { HistorySource } from "./source.ts";
import { type SnapshotWanted, usableSnapshot } from "./usable-snapshot.ts";

/** Which read model, and where. */
export interface ModelAsk {
  readonly projection: AnyProjection;
  /** By partition: the first record that is not wanted. */
  readonly cuts: Cuts;
  /** The time that the cuts stand for, if they do. */
  readonly atMs?: number;
  /** Whose open letters are passed over; undefined: any generation's. */
  readonly generation: number | undefined;
  readonly rowsMax: number;
  /**
   * What the fold may begin with: any audited snapshot, those older than one that is to be audited
   * itself, or only the log's beginning.
   */
  readonly from: "snapshot" | "beginning" | { readonly olderThan: bigint };
  /** Only rows with such keys are made; left out: all. */
  readonly only?: (key: string) => boolean;
  readonly signal?: AbortSignal;
  /** See `ReplayTo`. */
  readonly pace?: (offsets: number) => Promise<void>;
}

/** A read model of the past, and what its fold began with. */
export interface FoldedModel extends PastModel {
  readonly from: bigint | "beginning";
}

/**
 * A whole read model as the log has it at exact cuts, folded into memory.
 *
 * @throws FatalError `history-gone`, `history-too-large`, `replay-halted`; TransientError.
 */
export async function readModelAt(source: HistorySource, ask: ModelAsk): Promise<FoldedModel> {
  const { projection, cuts, atMs, rowsMax, only, signal, pace } = ask;
  const { name, version } = projection;
  const { from, start } = await startOf(source, ask, { projection: name, version, cuts, atMs });
  const over = await passedOver(source.deadLetters, { ...ask, projection: name });
  const how = { ...(signal ? { signal } : {}), ...(pace ? { pace } : {}) };
  const past = await foldPast(source, {
    projection: only ? narrowedTo(projection, only) : projection,
    start,
    cuts,
    passedOver: over,
    rowsMax,
    ...how,
  });
  return { ...past, from };
}

async function startOf(
  { snapshots }: HistorySource,
  { from, only }: ModelAsk,
  wanted: Pick<SnapshotWanted, "projection" | "version" | "cuts" | "atMs">,
): Promise<{ readonly from: bigint | "beginning"; readonly start: PastStart | undefined }> {
  const nothing = { from: "beginning", start: undefined } as const;
  if (from === "beginning" || snapshots === undefined) return nothing;
  const older = typeof from === "string" ? {} : { before: from.olderThan };
  const found = await usableSnapshot(snapshots, { ...wanted, ...older });
  if (found === undefined) return nothing;
  const rows = snapshots.rows(found.id);
  const start = { at: found.positions, rows: only ? rowsWith(only, rows) : rows };
  return { from: found.id, start };
}

async function* rowsWith(
  isWanted: (key: string) => boolean,
  pages: AsyncIterable<readonly SnapshotRow[]>,
): AsyncGenerator<readonly SnapshotRow[]> {
  for await (const page of pages) yield page.filter(({ key }) => isWanted(key));
}

export const cutsOfPositions = (positions: readonly RowPosition[]): Cuts =>
  new Map(positions.map((one) => [placeOf(one), one.position.nextOffset]));

export interface PastModelsOptions extends HistorySource, CutsOptions {
  /** Rows of one model. */
  readonly rowsMax: number;
  /** Models that are held or being made at the same time. */
  readonly modelsMax: number;
  /** How long one is held after it was made. */
  readonly keepMs: number;
}

/**
 * Whole read models as of times, folded when they are asked for and held for a while, so that pages
 * of one list needn't fold it again.
 */
export class PastModels implements Disposable {
  readonly #options: PastModelsOptions;
  readonly #ending = new AbortController();
  /** The one that was made first comes first. */
  readonly #held = new Map<string, { readonly model: Promise<FoldedModel>; made: boolean }>();

  constructor(options: PastModelsOptions) {
    this.#options = options;
  }

  /**
   * The model of everything recorded at or before a time. Nobody may write to it.
   *
   * @throws RecordError `at-in-future`; TransientError `at-not-settled`, `history-busy` when as many
   * as may be are being made; what `readModelAt` does.
   */
  async asOf(projection: AnyProjection, atMs: number): Promise<FoldedModel> {
    const name = `${projection.name} v${projection.version} ${atMs}`;
    const held = this.#held.get(name);
    if (held !== undefined) return held.model;
    this.#makeRoom();
    const entry = { model: this.#fold(projection, atMs), made: false };
    this.#held.set(name, entry);
    try {
      const model = await entry.model;
      entry.made = true;
      void this.#forgetLater(name, entry.model);
      return model;
    } catch (error) {
      this.#held.delete(name);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#held.clear();
  }

  async #fold(projection: AnyProjection, atMs: number): Promise<FoldedModel> {
    const { captureGraceMs, rowsMax } = this.#options;
    const cuts = await cutsAt(this.#options, projection, { atMs, captureGraceMs });
    const { signal } = this.#ending;
    const ask = {
      projection,
      cuts,
      atMs,
      rowsMax,
      generation: undefined,
      from: "snapshot",
      signal,
    };
    return readModelAt(this.#options, ask as ModelAsk);
  }

  #makeRoom(): void {
    if (this.#held.size < this.#options.modelsMax) return;
    const oldest = [...this.#held].find(([, { made }]) => made);
    if (oldest === undefined) {
      const message = `${this.#held.size} read models of the past are being made already.`;
      throw new TransientError("history-busy", `${message} Ask again in a moment.`);
    }
    this.#held.delete(oldest[0]);
  }

  async #forgetLater(name: string, model: Promise<FoldedModel>): Promise<void> {
    await this.#options.clock.sleep(this.#options.keepMs, this.#ending.signal);
    // It may have made room for others since, and have been made again.
    if (this.#held.get(name)?.model === model) this.#held.delete(name);
  }
}
