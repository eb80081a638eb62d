import type { AnyRow } from "../columns.ts";
import { canonicalJson } from "../digest.ts";
import type { AnyProjection } from "../projection.ts";

export interface ColumnChange {
  readonly column: string;
  /** null where there was no row, too. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Columns in which two versions of a row differ. */
export function changedColumns(
  { row: columns }: Pick<AnyProjection, "row">,
  before: AnyRow | undefined,
  after: AnyRow | undefined,
): ColumnChange[] {
  return Object.keys(columns).flatMap((column) => {
    const change = { column, before: before?.[column] ?? null, after: after?.[column] ?? null };
    return isSame(change.before, change.after) ? [] : [change];
  });
}

const isSame = (one: unknown, other: unknown): boolean =>
  one === other || canonicalJson(one) === canonicalJson(other);
