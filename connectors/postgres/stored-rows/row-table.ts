import { createHash } from "node:crypto";

import type { AnyRow, Column, Columns } from "../../../engine/columns.ts";
import { FatalError } from "../../../engine/errors.ts";
import { assertRowFits } from "../../../engine/stored-row.ts";
import { int4Array, textArray } from "../binary-array.ts";
import { columnType, outgoing } from "./column-types.ts";

/** A column of a definition and its name in the table. */
export interface StoredColumn {
  readonly name: string;
  readonly sqlName: string;
  readonly column: Column;
}

/** A table of rows by key. */
export interface RowTable {
  /** The projection or processor, for messages. */
  readonly owner: string;
  /** Qualified and quoted. */
  readonly sqlName: string;
  readonly definition: Columns;
  readonly columns: readonly StoredColumn[];
}

export interface KeyedRow {
  readonly key: string;
  readonly partition: number;
  readonly row: AnyRow;
}

/** The names that the table has for itself. */
const ownNames = ["key", "partition"];
const nameBytesMax = 63;

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const snakeCase = (name: string): string =>
  name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();

/** @throws FatalError `columns-unfit` when two columns get one name, or a name is too long. */
export function rowTable(owner: string, sqlName: string, definition: Columns): RowTable {
  const names = Object.keys(definition).map((name) => {
    const snake = snakeCase(name);
    return { name, snake: ownNames.includes(snake) ? `${snake}_` : snake };
  });
  const seen = new Map<string, string>(ownNames.map((name) => [name, `the table's ${name}`]));
  for (const { name, snake } of names) {
    const other = seen.get(snake);
    if (other !== undefined) throw unfit(owner, `${name} and ${other} are both named ${snake}`);
    if (Buffer.byteLength(snake) > nameBytesMax) throw unfit(owner, `${name} is too long a name`);
    seen.set(snake, name);
  }
  const columns = names.map(({ name, snake }) => ({
    name,
    sqlName: quoted(snake),
    column: definition[name] as Column,
  }));
  return { owner, sqlName, definition, columns };
}

const unfit = (owner: string, fault: string) =>
  new FatalError("columns-unfit", `The columns of ${owner} fit no table: ${fault}.`, "Rename one.");

/** Room in the page keeps updates off the index (HOT), where no indexed column changes. */
export function createTable(table: RowTable): string {
  const columns = table.columns.map(({ sqlName, column }) => {
    const nullability = column.nullable ? "" : " not null";
    return `${sqlName} ${columnType(column).sql}${nullability}`;
  });
  const all = [`key text collate "C" primary key`, "partition integer not null", ...columns];
  return `create table ${table.sqlName} (${all.join(", ")}) with (fillfactor = 70)`;
}

/** `when` is a condition on the whole statement; `first` the number of the first parameter. */
interface Part {
  readonly first: number;
  readonly when: string;
}

/** The part of a statement that writes rows, as CTEs named `upserted` and `deleted`. */
export function writeRows(table: RowTable, part: Part): string {
  const names = ["partition", ...table.columns.map(({ sqlName }) => sqlName)];
  const updates = names.map((name) => `${name} = excluded.${name}`);
  return `upserted as (
      ${insertGiven(table, part)}
      on conflict (key) do update set ${updates.join(", ")}
    ), deleted as (
      delete from ${table.sqlName}
      where key = any($${part.first + insertParameterCount(table)}::text[]) and ${part.when}
    )`;
}

/**
 * The part of a statement that writes rows whose keys have none, as a CTE named `inserted`: two
 * thirds of the cost of an upsert, which looks for the row first.
 * The statement fails with `unique_violation` where there is one.
 */
export const insertRows = (table: RowTable, part: Part): string =>
  `inserted as (
      ${insertGiven(table, part)}
    )`;

function insertGiven(table: RowTable, { first, when }: Part): string {
  const names = table.columns.map(({ sqlName }) => sqlName);
  const parameters = table.columns.map(({ column }, index) => {
    return `$${first + 2 + index}::${columnType(column).parameter}`;
  });
  const values = table.columns.map(({ column }, index) => columnType(column).stored(`c${index}`));
  const elements = table.columns.map((_, index) => `c${index}`);
  return `insert into ${table.sqlName} (${["key", "partition", ...names].join(", ")})
      select ${["k", "p", ...values].join(", ")}
      from unnest(${[`$${first}::text[]`, `$${first + 1}::int4[]`, ...parameters].join(", ")})
        as given (${["k", "p", ...elements].join(", ")})
      where ${when}`;
}

/** Values of the parameters of `writeRows`. */
export const rowParameters = (
  table: RowTable,
  rows: readonly KeyedRow[],
  deleted: readonly string[],
): Buffer[] => [...insertParameters(table, rows), textArray(deleted)];

/** Values of the parameters of `insertRows`. */
export function insertParameters(table: RowTable, rows: readonly KeyedRow[]): Buffer[] {
  for (const row of rows) assertRowFits(table.owner, table.definition, row);
  const columns = table.columns.map(({ name, column }) => {
    return columnType(column).encode(rows.map(({ row }) => outgoing(column, row[name])));
  });
  return [
    textArray(rows.map(({ key }) => key)),
    int4Array(rows.map(({ partition }) => partition)),
    ...columns,
  ];
}

/** How many parameters `writeRows` has. */
export const rowParameterCount = (table: RowTable): number => insertParameterCount(table) + 1;

/** How many parameters `insertRows` has. */
export const insertParameterCount = (table: RowTable): number => table.columns.length + 2;

/** Columns of a select that `decodeRow` reads; `of` is the table's alias. */
export const selectColumns = (table: RowTable, of: string): string[] =>
  table.columns.map(({ sqlName }, index) => `${of}.${sqlName} as r${index}`);

export function decodeRow(table: RowTable, found: AnyRow): AnyRow {
  const row: Record<string, unknown> = {};
  for (const [index, { name, column }] of table.columns.entries()) {
    const value = found[`r${index}`];
    row[name] = value === null ? null : columnType(column).decode(value);
  }
  return row;
}

/** A name for a prepared statement: the same text has the same name on every connection. */
export const statementName = (text: string): string =>
  `refold_${createHash("sha1").update(text).digest("hex")}`;
