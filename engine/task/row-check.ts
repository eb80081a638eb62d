import type { AnyRow, Column, Columns } from "../columns.ts";
import { RecordError } from "../errors.ts";

/**
 * Checks that a row is what its columns say, so that a bad fold is found at its record and never in
 * a store, where nobody can tell which record did it.
 */
export function rowCheck(columns: Columns): (row: AnyRow, key: string) => void {
  const list = Object.entries(columns);
  return (row, key) => {
    for (let index = 0; index < list.length; index += 1) {
      const [name, column] = list[index] as (typeof list)[number];
      if (!fits(row[name], column)) throw misfit(key, name, { column, value: row[name] });
    }
  };
}

function fits(value: unknown, column: Column): boolean {
  if (value === null || value === undefined) return column.nullable && value === null;
  switch (column.kind) {
    case "text":
      return typeof value === "string" && !value.includes("\0");
    case "integer":
      return typeof value === "number" && (value | 0) === value;
    case "bigint":
      return typeof value === "bigint" && BigInt.asIntN(64, value) === value;
    case "double":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "timestamp":
      return Number.isSafeInteger(value);
    case "json":
      return typeof value !== "function" && typeof value !== "bigint";
    default:
      return column.kind satisfies never;
  }
}

function misfit(key: string, name: string, found: { column: Column; value: unknown }): RecordError {
  const { kind, nullable } = found.column;
  const type = found.value === null ? "null" : typeof found.value;
  return new RecordError(
    "row-invalid",
    `The row ${key} got a ${type} in the column ${name}, which is ${kind}` +
      `${nullable ? " or null" : ""}. The fold that made it is wrong for this event.`,
  );
}
