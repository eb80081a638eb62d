import type { AnyRow, Column } from "../../../engine/columns.ts";
import type { CountRows, FindRows } from "../../../engine/ports/read-model-reader.ts";
import { decodeCursor, type PageEnd } from "../../../engine/read-cursor.ts";
import { InvariantViolation } from "../../../engine/errors.ts";
import { columnType } from "../stored-rows/column-types.ts";
import type { RowTable, StoredColumn } from "../stored-rows/row-table.ts";

interface Ordered {
  readonly sqlName: string;
  /** Undefined: the row's key, never null. */
  readonly column: Column | undefined;
  readonly descending: boolean;
}

/** Adds a value to a statement's parameters, and gives its place as SQL. */
type Parameter = (value: unknown, column: Column | undefined) => string;

interface Asked {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/**
 * A page of rows, numbered by `N` (no column's name: those have no capitals) in their order, one
 * more than asked for (it tells that there is a next page). `first` is the number of the first
 * parameter.
 */
export function pageQuery(table: RowTable, query: FindRows, first: number): Asked {
  const { values, parameter } = parametersFrom(first);
  const conditions = equalities(table, query.where ?? {}, parameter);
  const order = orderOf(table, query);
  if (query.after !== undefined) {
    const { after } = query;
    const end = decodeCursor(table.owner, table.definition, { ...query, after });
    conditions.push(afterEnd(order, end, parameter));
  }
  const by = order.map(({ sqlName, descending }) => `${sqlName}${descending ? " desc" : ""}`);
  const sql = `select *, row_number() over (order by ${by.join(", ")}) as "N"
    from ${table.sqlName}
    ${whereOf(conditions)}
    order by ${by.join(", ")} limit ${parameter(query.limit + 1, undefined)}::int8`;
  return { sql, values };
}

/** How many rows fit, as `count`. `first` is the number of the first parameter. */
export function countQuery(table: RowTable, query: CountRows, first: number): Asked {
  const { values, parameter } = parametersFrom(first);
  const conditions = equalities(table, query.where ?? {}, parameter);
  if (query.below !== undefined) {
    const { sqlName, column } = columnOf(table, query.below.column);
    conditions.push(`${sqlName} < ${parameter(query.below.value, column)}`);
  }
  const sql = `select count(*)::int8 as count from ${table.sqlName} ${whereOf(conditions)}`;
  return { sql, values };
}

function parametersFrom(first: number): { values: readonly unknown[]; parameter: Parameter } {
  const values: unknown[] = [];
  const parameter: Parameter = (value, column) => {
    values.push(value);
    const name = `$${first + values.length - 1}`;
    if (column === undefined) return `${name}::text`;
    const element = columnType(column).parameter.slice(0, -2);
    return columnType(column).stored(`${name}::${element}`);
  };
  return { values, parameter };
}

const equalities = (table: RowTable, where: AnyRow, parameter: Parameter): string[] =>
  Object.entries(where).map(([name, value]) => {
    const { sqlName, column } = columnOf(table, name);
    return value === null ? `${sqlName} is null` : `${sqlName} = ${parameter(value, column)}`;
  });

const whereOf = (conditions: readonly string[]): string =>
  conditions.length > 0 ? `where ${conditions.join(" and ")}` : "";

function columnOf(table: RowTable, name: string): StoredColumn {
  const column = table.columns.find((column) => column.name === name);
  if (column === undefined) throw new InvariantViolation(`${table.owner} has no column ${name}.`);
  return column;
}

function orderOf(table: RowTable, query: FindRows): Ordered[] {
  const order = (query.orderBy ?? []).map(({ column: name, descending = false }) => {
    const { sqlName, column } = columnOf(table, name);
    return { sqlName, column, descending };
  });
  return [...order, { sqlName: "key", column: undefined, descending: false }];
}

/** The rows after a page's end. Where nothing is null or falling, one comparison of rows: an index helps. */
function afterEnd(order: readonly Ordered[], end: PageEnd, parameter: Parameter): string {
  const ends = [...end.values, end.key];
  if (order.every(({ column, descending }) => !descending && column?.nullable !== true)) {
    const names = order.map(({ sqlName }) => sqlName);
    const values = order.map(({ column }, index) => parameter(ends[index], column));
    return `(${names.join(", ")}) > (${values.join(", ")})`;
  }
  return order.reduceRight((rest, of, index) => {
    const { later, equal } = compare(of, ends[index], parameter);
    return rest === "" ? `(${later})` : `(${later} or (${equal} and ${rest}))`;
  }, "");
}

/** Nulls come last, or first where the order falls. */
function compare(
  { sqlName, column, descending }: Ordered,
  end: unknown,
  parameter: Parameter,
): { readonly later: string; readonly equal: string } {
  if (end === null) {
    return { later: descending ? `${sqlName} is not null` : "false", equal: `${sqlName} is null` };
  }
  const value = parameter(end, column);
  const beyond = `${sqlName} ${descending ? "<" : ">"} ${value}`;
  const later =
    descending || column?.nullable !== true ? beyond : `(${beyond} or ${sqlName} is null)`;
  return { later, equal: `${sqlName} = ${value}` };
}
