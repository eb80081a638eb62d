import type { ClientBase, QueryConfig } from "pg";

import { parseTableName, quoteName, quoteTable } from "../tables/names.ts";

/** A row as texts, as Postgres writes its values and as the stream carries them. */
export type TextRow = (string | null)[];

/** Names of a table's stored columns, in their order. */
export async function columnNames(client: ClientBase, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select attname::text as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     order by attnum`,
    [quoteTable(parseTableName(table))],
  );
  return rows.map((row) => row.name);
}

/** A SELECT of these columns from the whole table. */
export function selectColumns(table: string, columns: readonly string[]): string {
  return `select ${columns.map(quoteName).join(", ")} from ${quoteTable(parseTableName(table))}`;
}

const types = { getTypeParser: () => (value: unknown) => value };

export async function textRows(
  client: ClientBase,
  query: Pick<QueryConfig, "text" | "values">,
): Promise<TextRow[]> {
  const { rows } = await client.query<TextRow>({ ...query, rowMode: "array", types });
  return rows;
}

/** All rows of a query, a page at a time, in the transaction that the client is in. */
export async function* textPages(
  client: ClientBase,
  query: string,
  pageRows: number,
): AsyncGenerator<TextRow[]> {
  await client.query(`declare snapshot_rows no scroll cursor for ${query}`);
  for (;;) {
    const rows = await textRows(client, { text: `fetch ${pageRows} from snapshot_rows` });
    if (rows.length > 0) yield rows;
    if (rows.length < pageRows) break;
  }
  await client.query("close snapshot_rows");
}
