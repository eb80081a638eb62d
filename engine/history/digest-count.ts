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
    const buckets = new Set([...stored.keys(), ...this.#counted.keys()]);
    return [...buckets]
      .filter((bucket) => !isSame(stored.get(bucket), this.#counted.get(bucket)))
      .sort((one, other) => one - other);
  }
}

const isSame = (one: BucketDigest | undefined, other: BucketDigest | undefined): boolean =>
  (one?.hash ?? 0n) === (other?.hash ?? 0n) && (one?.rows ?? 0) === (other?.rows ?? 0);
