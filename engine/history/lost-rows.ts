import { type BucketDigest, RowHasher } from "../digest.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { FatalError } from "../errors.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { RowPosition } from "../ports/row-source.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { AnyProjection } from "../projection.ts";
import { storedColumns } from "../task/pipeline.ts";
import { cutsOfPositions, readModelAt } from "./read-model-at.ts";
import type { HistorySource } from "./source.ts";

export interface LostRowsOptions extends HistorySource {
  /** Keys that are named at most. */
  readonly keysMax: number;
  /** Rows of the buckets that may be held in memory. */
  readonly rowsMax: number;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
}

/** What is stored where digests differ. */
export interface StoredKeys {
  /** What the digests have that the stored rows don't give, by bucket. */
  readonly excess: ReadonlyMap<number, BucketDigest>;
  /** The keys that are stored in these buckets, up to `rowsMax`. */
  readonly stored: ReadonlySet<string>;
  /** Where the rows stood. */
  readonly positions: readonly RowPosition[];
}

export interface LostRowsAsk extends StoredKeys {
  readonly projection: AnyProjection;
  readonly generation: Generation;
  readonly signal: AbortSignal;
  /** See `ReplayTo`. */
  readonly pace: (offsets: number) => Promise<void>;
}

/**
 * Names rows that the log gives and the store lacks. Nothing that is stored tells of them, so the
 * log is folded, from the newest audited snapshot on, for the buckets whose digests differ from their
 * rows.
 *
 * It is folded only where they differ by something else than the last time: whatever flushes do,
 * digests and rows go on differing by the same.
 */
export class LostRows {
  readonly #options: LostRowsOptions;
  /** By projection: the excess that was looked at last, as text. */
  readonly #looked = new Map<string, string>();

  constructor(options: LostRowsOptions) {
    this.#options = options;
  }

  /** None where there was nothing new, or where it can't be known, which is reported. */
  async find(ask: LostRowsAsk): Promise<readonly string[]> {
    const { projection, excess, signal } = ask;
    const { name } = projection;
    const text = excessText(ask);
    if (excess.size === 0 || this.#looked.get(name) === text) return [];
    try {
      const lost = await this.#fold(ask);
      this.#looked.set(name, text);
      return lost;
    } catch (error) {
      if (classify(error) !== "halt" || signal.aborted) throw error;
      // A second time it would be the same.
      this.#looked.set(name, text);
      this.#options.metrics.count("audit_failures_total", 1, { consumer: name });
      this.#options.report(`Which rows of ${name} are gone isn't known: ${reasonOf(error)}`);
      return [];
    }
  }

  async #fold(ask: LostRowsAsk): Promise<string[]> {
    const { rowsMax, keysMax } = this.#options;
    const { projection, generation: of, excess, stored, positions, signal, pace } = ask;
    if (stored.size >= rowsMax) throw tooManyStored(projection, rowsMax);
    const { generation } = of;
    const cuts = cutsOfPositions(positions);
    const only = inBuckets(projection, excess);
    const wanted = { projection, generation, cuts, only, rowsMax, signal, pace };
    const folded = await readModelAt(this.#options, { ...wanted, from: "snapshot" });
    const lost: string[] = [];
    for await (const page of folded.store.scan(folded.generation)) {
      for (const { key } of page) {
        if (lost.length === keysMax) return lost;
        if (!stored.has(key)) lost.push(key);
      }
    }
    return lost;
  }
}

/** Does a key belong to one of these buckets? */
export function inBuckets(
  projection: AnyProjection,
  buckets: ReadonlyMap<number, unknown>,
): (key: string) => boolean {
  const hasher = new RowHasher(storedColumns(projection));
  return (key) => buckets.has(hasher.bucket(key));
}

const excessText = ({ generation, excess }: LostRowsAsk): string =>
  [
    generation.generation,
    ...[...excess].map(([bucket, { hash, rows }]) => `${bucket}:${hash}:${rows}`),
  ].join();

const tooManyStored = ({ name }: AnyProjection, rowsMax: number): FatalError =>
  new FatalError(
    "history-too-large",
    `${name} has ${rowsMax} rows or more in key buckets whose digests differ.`,
    `Run refold audit ${name}, or rebuild it.`,
  );
