import type { AnyRow, Column } from "../columns.ts";
import { canonicalJson } from "../digest.ts";
import { compareText } from "../memory/find-rows.ts";
import type { ComparedColumns } from "./compared-columns.ts";

export interface KeyedRow {
  readonly key: string;
  readonly row: AnyRow;
}

/** All rows of one side in order of key (by UTF-8 bytes), in pages. */
export type RowPages = AsyncIterable<readonly KeyedRow[]>;

/** A key that the two sides don't have alike. */
export interface DifferingRow {
  readonly key: string;
  /** undefined: it has no such row. */
  readonly live: AnyRow | undefined;
  readonly shadow: AnyRow | undefined;
  /** Columns in which two rows differ; empty where one of them is missing. */
  readonly fields: readonly string[];
}

/**
 * Merges two ordered series of rows, and gives the keys that they don't have alike, in order. Only
 * columns that both have are compared. One page of each side is held at a time.
 */
export async function* rowDifferences(
  live: RowPages,
  shadow: RowPages,
  columns: Pick<ComparedColumns, "common">,
): AsyncGenerator<DifferingRow, void> {
  await using ones = new RowSeries(live);
  await using others = new RowSeries(shadow);
  let one = await ones.next();
  let other = await others.next();
  while (one !== undefined || other !== undefined) {
    const order = orderOf(one, other);
    if (order < 0 && one) yield { key: one.key, live: one.row, shadow: undefined, fields: [] };
    if (order > 0 && other)
      yield { key: other.key, live: undefined, shadow: other.row, fields: [] };
    if (order === 0 && one && other) {
      const fields = differingFields(one.row, other.row, columns);
      if (fields.length > 0) yield { key: one.key, live: one.row, shadow: other.row, fields };
    }
    // Most steps are within a page, and waiting for a promise each would cost more than comparing.
    if (order <= 0) one = ones.held() ?? (await ones.next());
    if (order >= 0) other = others.held() ?? (await others.next());
  }
}

/** Names of the compared columns whose values differ. */
export function differingFields(
  one: AnyRow,
  other: AnyRow,
  { common }: Pick<ComparedColumns, "common">,
): string[] {
  const fields: string[] = [];
  for (const [name, column] of common) {
    if (!sameValue(column, one[name], other[name])) fields.push(name);
  }
  return fields;
}

function sameValue({ kind }: Column, one: unknown, other: unknown): boolean {
  if (one === other) return true;
  const [isNull, isOtherNull] = [one ?? null, other ?? null].map((value) => value === null);
  if (isNull || isOtherNull) return isNull === isOtherNull;
  if (kind === "json") return canonicalJson(one) === canonicalJson(other);
  return Number.isNaN(one) && Number.isNaN(other);
}

function orderOf(one: KeyedRow | undefined, other: KeyedRow | undefined): number {
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return one.key === other.key ? 0 : compareText(one.key, other.key);
}

/** Rows one after the other, whatever the pages. */
class RowSeries implements AsyncDisposable {
  readonly #pages: AsyncIterator<readonly KeyedRow[]>;
  #page: readonly KeyedRow[] = [];
  #at = 0;

  constructor(pages: RowPages) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  /** The next row of the page at hand; undefined: it is at its end. */
  held(): KeyedRow | undefined {
    const row = this.#page[this.#at];
    if (row !== undefined) this.#at += 1;
    return row;
  }

  /** The next row; undefined: there is none. */
  async next(): Promise<KeyedRow | undefined> {
    for (;;) {
      const row = this.held();
      if (row !== undefined) return row;
      const { done, value } = await this.#pages.next();
      if (done) return undefined;
      this.#page = value;
      this.#at = 0;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pages.return?.();
  }
}
