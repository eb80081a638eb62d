import type { AnyRow, Columns, RowOf } from "./columns.ts";
import type { Answer, FindRows, ReadModelReader } from "./ports/read-model-reader.ts";

/** A projection, as far as reading its rows is concerned: its name, and its columns for the type. */
export interface RowsOf<C extends Columns = Columns> {
  readonly name: string;
  readonly row: C;
}

export interface PageRequest {
  readonly limit: number;
  /** Cursor that came with the page before; undefined: the first page. */
  readonly cursor: string | undefined;
}

/** Which rows a page is taken from, and in which order. */
export interface RowOrder<C extends Columns = Columns> {
  /** Columns that must equal these values. */
  readonly where?: AnyRow;
  /** The lowest value first; rows with the same one in order of their keys. */
  readonly orderBy?: keyof C & string;
}

export interface RowPage<Row> {
  readonly rows: readonly Row[];
  /** undefined: this was the last page. */
  readonly next: string | undefined;
}

/** The row of a key, typed by its projection's columns; undefined: there is none. */
export async function readRow<C extends Columns>(
  reader: Pick<ReadModelReader, "get">,
  from: RowsOf<C>,
  key: string,
): Promise<Answer<RowOf<C> | undefined>> {
  return (await reader.get(from.name, key)) as Answer<RowOf<C> | undefined>;
}

/**
 * A page of rows, typed by their projection's columns.
 *
 * @throws RecordError `cursor-invalid` for a cursor that belongs to other rows or another order.
 */
export async function readPage<C extends Columns>(
  reader: Pick<ReadModelReader, "find">,
  from: RowsOf<C>,
  page: PageRequest & RowOrder<C>,
): Promise<Answer<RowPage<RowOf<C>>>> {
  const answer = await reader.find(from.name, queryOf(page));
  const rows = answer.result.rows.map(({ row }) => row as RowOf<C>);
  return { ...answer, result: { rows, next: answer.result.next } };
}

const queryOf = ({ where, orderBy, limit, cursor }: PageRequest & RowOrder): FindRows => ({
  ...(where === undefined ? {} : { where }),
  ...(orderBy === undefined ? {} : { orderBy: [{ column: orderBy }] }),
  ...(cursor === undefined ? {} : { after: cursor }),
  limit,
});
