import type { AnyRow, Column, ColumnKind, Columns } from "./columns.ts";
import { FatalError } from "./errors.ts";

/**
 * What a stored row may hold. Every store checks with this before it writes anything, so that none
 * keeps what another would refuse or change.
 */
const int32 = { min: -2_147_483_648, max: 2_147_483_647 };
const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
/** 4713 BC, where Postgres' timestamps begin, and the end of JavaScript's. */
const timeMs = { min: -210_866_803_200_000, max: 8_640_000_000_000_000 };

/** What is wrong with a value, or undefined. */
export function valueFault(column: Column, value: unknown): string | undefined {
  if (value === null || value === undefined) {
    if (column.nullable && value === null) return undefined;
    if (column.kind === "json" && value === null) return undefined;
    return `is ${value}`;
  }
  return faultOf[column.kind](value);
}

const faultOf: Readonly<Record<ColumnKind, (value: unknown) => string | undefined>> = {
  text: textFault,
  integer: (value) => (wholeNumber(value, int32) ? undefined : "is no whole number of 32 bits"),
  timestamp: (value) => (wholeNumber(value, timeMs) ? undefined : "is no whole milliseconds"),
  bigint: (value) =>
    typeof value === "bigint" && value >= int64.min && value <= int64.max
      ? undefined
      : "is no bigint of 64 bits",
  double: (value) => (typeof value === "number" ? undefined : "is no number"),
  boolean: (value) => (typeof value === "boolean" ? undefined : "is no boolean"),
  json: jsonFault,
};

function textFault(value: unknown): string | undefined {
  if (typeof value !== "string") return "is no text";
  if (value.includes("\0")) return "holds a NUL character";
  return value.isWellFormed() ? undefined : "holds half of a surrogate pair";
}

function wholeNumber(value: unknown, range: { min: number; max: number }): boolean {
  return Number.isInteger(value) && Number(value) >= range.min && Number(value) <= range.max;
}

function jsonFault(value: unknown): string | undefined {
  try {
    const written = JSON.stringify(value) as string | undefined;
    if (written === undefined) return "can't be written as JSON";
    // Well-formed JSON.stringify escapes NUL and lone surrogates, and jsonb refuses both.
    return /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(written)
      ? "holds a NUL character or half of a surrogate pair"
      : undefined;
  } catch (error) {
    return `can't be written as JSON (${String(error)})`;
  }
}

/** @throws FatalError `row-unfit` naming owner, key and column. */
export function assertRowFits(owner: string, columns: Columns, of: { key: string; row: AnyRow }) {
  const keyFault = textFault(of.key);
  if (keyFault !== undefined) throw unfit(`${owner}: a row's key ${keyFault}.`);
  for (const name in columns) {
    const fault = valueFault(columns[name] as Column, of.row[name]);
    if (fault !== undefined) throw unfit(`${owner}: column ${name} of row ${of.key} ${fault}.`);
  }
}

const unfit = (message: string) =>
  new FatalError("row-unfit", message, "Correct the fold or the column's type.");

/** A row of its own with exactly the columns, values as any store gives them back. */
export function copyRow(columns: Columns, row: AnyRow): AnyRow {
  const copy: Record<string, unknown> = {};
  for (const name in columns) copy[name] = copyValue(columns[name] as Column, row[name]);
  return copy;
}

function copyValue(column: Column, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (column.kind === "json") return JSON.parse(JSON.stringify(value)) as unknown;
  // Whole numbers know no negative zero in a store.
  const whole = column.kind === "integer" || column.kind === "timestamp";
  return whole ? (value as number) + 0 : value;
}

/** Do two definitions keep the same rows? Says the first difference, or undefined. */
export function columnDifference(stored: Columns, declared: Columns): string | undefined {
  for (const name in declared) {
    const [was, is] = [stored[name], declared[name] as Column];
    if (was === undefined) return `column ${name} (${describe(is)}) isn't stored`;
    if (describe(was) !== describe(is)) {
      return `column ${name} is stored as ${describe(was)} and declared as ${describe(is)}`;
    }
  }
  const gone = Object.keys(stored).find((name) => !(name in declared));
  return gone === undefined ? undefined : `column ${gone} is stored and no longer declared`;
}

const describe = (column: Column) => `${column.nullable ? "nullable " : ""}${column.kind}`;
