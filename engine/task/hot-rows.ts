import type { AnyRow } from "../columns.ts";
import type { SourceOrigin } from "./source-origin.ts";

/** A row (or the knowledge that there is none) as the next fold sees it. */
export class HotRow {
  readonly key: string;
  readonly partition: number;
  loaded = false;
  /** The latest fold's result, whether or not it is flushed. */
  row: AnyRow | undefined = undefined;
  /** As the last flush that was taken leaves it: what the store has, or is about to have. */
  base: AnyRow | undefined = undefined;
  /** Of the open batch: the last record that touched it of those whose origins were read. */
  cause: SourceOrigin | undefined = undefined;
  /** Number of the last batch that touched it. */
  batch = 0;
  /** Used again since it was made, or since eviction last came by. */
  used = false;

  constructor(key: string, partition: number) {
    this.key = key;
    this.partition = partition;
  }
}

/**
 * Rows kept between flushes, as long as their partition is owned: nobody else writes them, so what
 * is here is what the store has or will have. Bounded: the rows that were not used for longest go
 * (second chance: a row used again since the last round stays for another), never one that the open batch
 * or a flush in flight has changed, because the store doesn't have it yet.
 */
export class HotRows {
  readonly #rows = new Map<string, HotRow>();
  readonly #rowsMax: number;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The row's entry; made now, not loaded, when it isn't held. */
  of(key: string, partition: number): HotRow {
    const held = this.#rows.get(key);
    if (held !== undefined) {
      held.used = true;
      return held;
    }
    const made = new HotRow(key, partition);
    this.#rows.set(key, made);
    return made;
  }

  /** Takes a row as the store has it now, instead of what is held. No batch may be open. */
  put(
    { key, partition }: { readonly key: string; readonly partition: number },
    row: AnyRow | undefined,
  ): void {
    const held = this.of(key, partition);
    held.loaded = true;
    held.row = row;
    held.base = row;
  }

  /** Forgets rows above the maximum; those touched by `oldestOpenBatch` or later stay. */
  evict(oldestOpenBatch: number): void {
    let left = this.#rows.size - this.#rowsMax;
    let steps = left > 0 ? 2 * this.#rows.size : 0;
    for (const row of this.#rows.values()) {
      if (left <= 0 || steps <= 0) return;
      steps -= 1;
      this.#rows.delete(row.key);
      if (row.used || row.batch >= oldestOpenBatch) {
        row.used = false;
        this.#rows.set(row.key, row);
      } else {
        left -= 1;
      }
    }
  }

  /** Forgets everything: what was folded and isn't durable is void. */
  clear(): void {
    this.#rows.clear();
  }

  /** Forgets the rows of partitions that are no longer owned. */
  drop(partitions: ReadonlySet<number>): void {
    for (const [key, row] of this.#rows) if (partitions.has(row.partition)) this.#rows.delete(key);
  }
}
