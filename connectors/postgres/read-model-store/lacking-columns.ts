import type { AnyRow, Columns } from "../../../engine/columns.ts";
import type { CountRows, FindRows } from "../../../engine/ports/read-model-reader.ts";

/** The row with a null for each declared column that it lacks; what it has beyond them stays. */
export function withNulls(declared: Columns, row: AnyRow): AnyRow {
  const lacking = Object.keys(declared).filter((name) => !(name in row));
  return lacking.length === 0
    ? row
    : { ...row, ...Object.fromEntries(lacking.map((name) => [name, null])) };
}

/**
 * The query as a generation can be asked: a declared column that it doesn't store is null in every
 * row, so that it orders nothing. undefined: no row has what is asked for.
 */
export function fittedQuery(
  query: FindRows,
  columns: { readonly stored: Columns; readonly declared: Columns | undefined },
): FindRows | undefined {
  const { stored, declared = {} } = columns;
  const lacks = (name: string) => name in declared && !(name in stored);
  const { where = {}, orderBy = [] } = query;
  const asked = Object.entries(where);
  if (asked.some(([name, value]) => lacks(name) && value !== null)) return undefined;
  if (![...Object.keys(where), ...orderBy.map(({ column }) => column)].some(lacks)) return query;
  return {
    ...query,
    where: Object.fromEntries(asked.filter(([name]) => !lacks(name))),
    orderBy: orderBy.filter(({ column }) => !lacks(column)),
  };
}

/** `fittedQuery` for a count: nothing is below null. */
export function fittedCount(
  query: CountRows,
  columns: { readonly stored: Columns; readonly declared: Columns | undefined },
): CountRows | undefined {
  const { below, where = {} } = query;
  const order = below === undefined ? [] : [{ column: below.column }];
  const fits = fittedQuery({ where, orderBy: order, limit: 1 }, columns);
  if (fits === undefined || fits.orderBy?.length !== order.length) return undefined;
  return { ...query, where: fits.where ?? {} };
}
