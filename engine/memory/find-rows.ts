import type { AnyRow, Columns } from "../columns.ts";
import type { CountRows, FindRows, Page } from "../ports/read-model-reader.ts";
import {
  assertCount,
  assertQuery,
  decodeCursor,
  encodeCursor,
  type PageEnd,
} from "../read-cursor.ts";
import { copyRow } from "../stored-row.ts";

export interface Rows {
  readonly projection: string;
  readonly columns: Columns;
  readonly rows: ReadonlyMap<string, AnyRow>;
}

/** A page of rows, in the order that Postgres gives (nulls last, NaN above every number). */
export function findRows({ projection, columns, rows }: Rows, query: FindRows): Page {
  assertQuery(projection, columns, query);
  const { after, orderBy = [], limit } = query;
  const compare = (a: PageEnd, b: PageEnd): number => {
    for (const [index, by] of orderBy.entries()) {
      const order = compareValues(a.values[index], b.values[index]);
      if (order !== 0) return by.descending === true ? -order : order;
    }
    return compareText(a.key, b.key);
  };
  const start =
    after === undefined ? undefined : decodeCursor(projection, columns, { ...query, after });
  const found = [...rows]
    .filter(([, row]) => matches(row, query.where ?? {}))
    .map(([key, row]) => ({ key, row, values: orderBy.map(({ column }) => row[column]) }))
    .filter((end) => start === undefined || compare(end, start) > 0)
    .sort(compare);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map(({ key, row }) => ({ key, row: copyRow(columns, row) })),
    next:
      last !== undefined && found.length > page.length
        ? encodeCursor(projection, query, last)
        : undefined,
  };
}

/** How many rows fit. */
export function countRows({ projection, columns, rows }: Rows, query: CountRows): number {
  assertCount(projection, columns, query);
  const { where = {}, below } = query;
  const isBelow = (row: AnyRow): boolean =>
    below === undefined ||
    (row[below.column] !== null && compareValues(row[below.column], below.value) < 0);
  return [...rows.values()].filter((row) => matches(row, where) && isBelow(row)).length;
}

function matches(row: AnyRow, where: AnyRow): boolean {
  return Object.entries(where).every(([name, value]) =>
    value === null ? row[name] === null : row[name] !== null && equal(row[name], value),
  );
}

const equal = (a: unknown, b: unknown) => compareValues(a, b) === 0;

/** Values of one column; null comes after everything. */
function compareValues(a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  const [left, right] = [a as number, b as number];
  return Number(left > right) - Number(left < right);
}

/** By bytes of UTF-8, as Postgres' collation C does; UTF-16 units have another order. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
