import type { Columns } from "../columns.ts";
import { type BucketDigest, DigestDeltas } from "../digest.ts";
import type { SnapshotRow } from "../ports/read-model-snapshots.ts";

/** Counts digests from nothing while rows pass by, page after page. */
export class DigestCount {
  readonly #deltas: DigestDeltas;
  readonly #counted = new Map<number, BucketDigest>();
  /** Rows that have passed. */
  rows = 0;

  constructor(columns: Columns) {
    this.#deltas = new DigestDeltas(columns);
  }

  add(page: readonly SnapshotRow[]): void {
    for (const { key, row } of page) this.#deltas.change(key, undefined, row);
    for (const { bucket, hash, rows } of this.#deltas.take()) {
      const before = this.#counted.get(bucket) ?? { hash: 0n, rows: 0 };
      const sum = BigInt.asUintN(64, before.hash + hash);
      this.#counted.set(bucket, { hash: sum, rows: before.rows + rows });
    }
    this.rows += page.length;
  }

  /** The same pages, counted as they are taken. */
  async *through(
    pages: AsyncIterable<readonly SnapshotRow[]>,
  ): AsyncGenerator<readonly SnapshotRow[]> {
    for await (const page of pages) {
      this.add(page);
      yield page;
    }
  }

  /** Buckets whose stored digest isn't the counted one, in order. */
  differing(stored: ReadonlyMap<number, BucketDigest>): number[] {
    return [...this.excess(stored).keys()];
  }

  /** What stored digests have that the rows don't give, of the buckets that differ, in order. */
  excess(stored: ReadonlyMap<number, BucketDigest>): ReadonlyMap<number, BucketDigest> {
    const buckets = [...new Set([...stored.keys(), ...this.#counted.keys()])];
    const found = new Map<number, BucketDigest>();
    for (const bucket of buckets.sort((one, other) => one - other)) {
      const kept = stored.get(bucket) ?? nothing;
      const counted = this.#counted.get(bucket) ?? nothing;
      const hash = BigInt.asUintN(64, kept.hash - counted.hash);
      const rows = kept.rows - counted.rows;
      if (hash !== 0n || rows !== 0) found.set(bucket, { hash, rows });
    }
    return found;
  }
}

const nothing: BucketDigest = { hash: 0n, rows: 0 };
