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

/**
 * The part of a statement that writes rows, as CTEs named `upserted` and `deleted`. `when` is a
 * condition on the whole statement; `first` the number of the first parameter.
 */
export function writeRows(table: RowTable, part: { first: number; when: string }): string {
  const names = table.columns.map(({ sqlName }) => sqlName);
  const parameters = table.columns.map(({ column }, index) => {
    return `$${part.first + 2 + index}::${columnType(column).parameter}`;
  });
  const values = table.columns.map(({ column }, index) => columnType(column).stored(`c${index}`));
  const elements = table.columns.map((_, index) => `c${index}`);
  const updates = ["partition", ...names].map((name) => `${name} = excluded.${name}`);
  return `upserted as (
      insert into ${table.sqlName} (${["key", "partition", ...names].join(", ")})
      select ${["k", "p", ...values].join(", ")}
      from unnest(${[`$${part.first}::text[]`, `$${part.first + 1}::int4[]`, ...parameters].join(", ")})
        as given (${["k", "p", ...elements].join(", ")})
      where ${part.when}
      on conflict (key) do update set ${updates.join(", ")}
    ), deleted as (
      delete from ${table.sqlName}
      where key = any($${part.first + 2 + names.length}::text[]) and ${part.when}
    )`;
}

/** Values of the parameters of `writeRows`. */
export function rowParameters(
  table: RowTable,
  rows: readonly KeyedRow[],
  deleted: readonly string[],
): Buffer[] {
  for (const row of rows) assertRowFits(table.owner, table.definition, row);
  const columns = table.columns.map(({ name, column }) => {
    return columnType(column).encode(rows.map(({ row }) => outgoing(column, row[name])));
  });
  return [
    textArray(rows.map(({ key }) => key)),
    int4Array(rows.map(({ partition }) => partition)),
    ...columns,
    textArray(deleted),
  ];
}

/** How many parameters `writeRows` has. */
export const rowParameterCount = (table: RowTable): number => table.columns.length + 3;

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
