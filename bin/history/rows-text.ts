import type { AnyRow, Columns } from "../../engine/columns.ts";
import { jsonOf } from "../log/printable.ts";
import { table } from "../table.ts";

export interface KeyedRow {
  readonly key: string;
  readonly row: AnyRow;
}

/** Rows as a table, by key. */
export function rowsTable(columns: Columns, rows: readonly KeyedRow[]): string {
  if (rows.length === 0) return "No rows.";
  const names = Object.keys(columns);
  const cells = rows.map(({ key, row }) => [
    key,
    ...names.map((name) => cellOf(columns, name, row)),
  ]);
  return table(["key", ...names], cells);
}

export const csvHeader = (columns: Columns): string => csvLine(["key", ...Object.keys(columns)]);

/** One row as RFC 4180 has it; what is null is empty. */
export const csvRow = (columns: Columns, { key, row }: KeyedRow): string =>
  csvLine([key, ...Object.keys(columns).map((name) => csvCell(columns, name, row))]);

/** One row as a line of JSON, its key first. */
export const jsonRow = (columns: Columns, { key, row }: KeyedRow): string =>
  jsonOf({ key, ...shownRow(columns, row) });

/** A row whose times can be read. */
export const shownRow = (columns: Columns, row: AnyRow): Record<string, unknown> =>
  Object.fromEntries(Object.keys(columns).map((name) => [name, shown(columns, name, row)]));

function shown(columns: Columns, name: string, row: AnyRow): unknown {
  const value = row[name] ?? null;
  if (columns[name]?.kind !== "timestamp" || typeof value !== "number") return value;
  return new Date(value).toISOString();
}

/** A value for people: text as it is, all else as JSON. */
export function valueText(value: unknown): string {
  return typeof value === "string" ? value : jsonOf(value ?? null);
}

const cellOf = (columns: Columns, name: string, row: AnyRow): string => {
  const value = shown(columns, name, row);
  return value === null ? "-" : valueText(value);
};

const csvCell = (columns: Columns, name: string, row: AnyRow): string => {
  const value = shown(columns, name, row);
  return value === null ? "" : valueText(value);
};

const csvLine = (cells: readonly string[]): string =>
  cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
