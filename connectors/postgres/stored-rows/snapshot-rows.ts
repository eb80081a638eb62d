import type { AnyRow } from "../../../engine/columns.ts";
import type { SnapshotRow } from "../../../engine/ports/read-model-snapshots.ts";
import { decodeRow, type RowTable, selectColumns } from "./row-table.ts";

/** The beginning of a statement that selects whole rows of a table, for `snapshotRow`. */
export const selectSnapshotRows = (table: RowTable): string =>
  `select t.key as k, t.partition as p, ${selectColumns(table, "t").join(", ")}
   from ${table.sqlName} t`;

export const snapshotRow = (table: RowTable, found: AnyRow): SnapshotRow => ({
  key: found["k"] as string,
  partition: found["p"] as number,
  row: decodeRow(table, found),
});

/** Asks within one transaction. */
export type Ask = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface CursorOptions {
  /** Its name, of its own in the transaction. */
  readonly cursor: string;
  readonly pageRows: number;
  /** What follows `selectSnapshotRows`: a condition, an order. */
  readonly which: string;
  readonly values?: readonly unknown[];
}

/** Rows of a table as the transaction sees them, in pages. */
export async function* cursorPages(
  ask: Ask,
  table: RowTable,
  { cursor, pageRows, which, values = [] }: CursorOptions,
): AsyncIterable<readonly SnapshotRow[]> {
  await ask(`declare ${cursor} no scroll cursor for ${selectSnapshotRows(table)} ${which}`, values);
  for (;;) {
    const found = await ask<AnyRow>(`fetch ${pageRows} from ${cursor}`);
    if (found.length === 0) break;
    yield found.map((row) => snapshotRow(table, row));
  }
  await ask(`close ${cursor}`);
}
