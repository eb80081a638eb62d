import type { Columns } from "../columns.ts";
import { type BucketDigest, DigestDeltas, RowHasher } from "../digest.ts";
import type { ViewedGeneration } from "../ports/comparisons.ts";
import type { RebuildProof } from "../ports/rebuilds.ts";
import { columnDifference } from "../stored-row.ts";
import { differingBuckets } from "../swap-check.ts";
import { comparedColumns } from "./compared-columns.ts";
import type { DifferenceSummary } from "./difference-summary.ts";
import { rowDifferences, type RowPages } from "./row-differences.ts";

export interface ComparedSide {
  readonly view: Pick<ViewedGeneration, "digests" | "rows">;
  readonly columns: Columns;
}

export type Comparison = Pick<
  RebuildProof,
  | "liveRows"
  | "shadowRows"
  | "liveDigest"
  | "shadowDigest"
  | "bucketsDiffering"
  | "columnsAdded"
  | "columnsRemoved"
  | "recount"
> &
  Awaited<ReturnType<DifferenceSummary["close"]>>;

/**
 * Compares two builds at one moment. All stored rows of both are read once, in order of key: rows
 * are compared field by field, and both sides' digests are counted anew. Stored digests alone
 * wouldn't do: a row that was changed by hand leaves them as they were.
 */
export async function compare(
  live: ComparedSide,
  shadow: ComparedSide,
  summary: DifferenceSummary,
): Promise<Comparison> {
  const columns = comparedColumns(live.columns, shadow.columns);
  const [ones, others] = [new Recount(live.columns), new Recount(shadow.columns)];
  const hasher = new RowHasher({});
  const buckets = new Set<number>();
  const pages = [ones.counted(live.view.rows()), others.counted(shadow.view.rows())] as const;
  for await (const row of rowDifferences(...pages, columns)) {
    buckets.add(hasher.bucket(row.key));
    await summary.add(row);
  }
  const [liveRecount, shadowRecount] = [ones.digests(), others.digests()];
  // Hashes are taken over all columns: of different ones they say nothing.
  if (columnDifference(live.columns, shadow.columns) === undefined) {
    const [stored, counted] = [live.view.digests, shadow.view.digests];
    for (const bucket of differingBuckets(stored, counted)) buckets.add(bucket);
    for (const bucket of differingBuckets(liveRecount, shadowRecount)) buckets.add(bucket);
  }
  return {
    liveRows: rowsOf(liveRecount),
    shadowRows: rowsOf(shadowRecount),
    liveDigest: digestText(live.view.digests),
    shadowDigest: digestText(shadow.view.digests),
    bucketsDiffering: [...buckets].sort((a, b) => a - b),
    columnsAdded: columns.added,
    columnsRemoved: columns.removed,
    recount: differingBuckets(shadowRecount, shadow.view.digests).length > 0 ? "differs" : "equal",
    ...(await summary.close()),
  };
}

/** Digests counted from nothing while the rows go by. */
class Recount {
  readonly #deltas: DigestDeltas;
  readonly #digests = new Map<number, { hash: bigint; rows: number }>();

  constructor(columns: Columns) {
    this.#deltas = new DigestDeltas(columns);
  }

  async *counted(pages: RowPages): RowPages {
    for await (const page of pages) {
      for (const { key, row } of page) this.#deltas.change(key, undefined, row);
      // Deltas of one bucket are exact up to a bound: they are taken page by page.
      this.#take();
      yield page;
    }
  }

  digests(): ReadonlyMap<number, BucketDigest> {
    return this.#digests;
  }

  #take(): void {
    for (const { bucket, hash, rows } of this.#deltas.take()) {
      const before = this.#digests.get(bucket) ?? { hash: 0n, rows: 0 };
      const sum = BigInt.asUintN(64, before.hash + hash);
      this.#digests.set(bucket, { hash: sum, rows: before.rows + rows });
    }
  }
}

const rowsOf = (digests: ReadonlyMap<number, BucketDigest>): number =>
  [...digests.values()].reduce((sum, { rows }) => sum + rows, 0);

/** The sum of all buckets, as 16 hexadecimal digits. */
function digestText(digests: ReadonlyMap<number, BucketDigest>): string {
  const sum = [...digests.values()].reduce((all, { hash }) => all + hash, 0n);
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}
