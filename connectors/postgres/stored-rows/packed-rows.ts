import type { AnyRow } from "../../../engine/columns.ts";
import { readArray, readText } from "../binary-array.ts";
import { columnType } from "./column-types.ts";
import type { RowTable } from "./row-table.ts";

/** Keys, and the values of each column, as `array_send` gives them; null: there are no rows. */
export type PackedRows = Readonly<Record<string, Buffer | null>>;

/**
 * Columns of a select that gives all its rows as one, each column as an array in binary. pg makes an
 * object and several strings of every row that it is sent; many rows take a third of that so.
 */
export const packedColumns = (table: RowTable, of: string): string[] => [
  `array_send(array_agg(${of}.key)) as k`,
  ...table.columns.map(({ sqlName, column }, index) => {
    const element = columnType(column).packed(`${of}.${sqlName}`);
    return `array_send(array_agg(${element})) as r${index}`;
  }),
];

export function unpackedRows(table: RowTable, packed: PackedRows): Map<string, AnyRow> {
  const keys = packed["k"] ? readArray(packed["k"], readText) : [];
  const rows: Record<string, unknown>[] = keys.map(() => ({}));
  for (const [index, { name, column }] of table.columns.entries()) {
    const bytes = packed[`r${index}`];
    if (!bytes) continue;
    const values = readArray(bytes, columnType(column).unpack);
    for (let at = 0; at < rows.length; at += 1) {
      (rows[at] as Record<string, unknown>)[name] = values[at];
    }
  }
  return new Map(keys.map((key, at) => [key as string, rows[at] as AnyRow]));
}
