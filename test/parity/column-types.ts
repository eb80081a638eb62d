import { Client } from "pg";

/** The type of each column, by `schema.table.column`, as the server writes it. */
export async function columnTypes(url: string): Promise<Map<string, string>> {
  const client = new Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; type: string }>(
      `select n.nspname || '.' || c.relname || '.' || a.attname as name,
              format_type(a.atttypid, a.atttypmod) as type
       from pg_attribute a
       join pg_class c on c.oid = a.attrelid
       join pg_namespace n on n.oid = c.relnamespace
       where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
         and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
    );
    return new Map(rows.map(({ name, type }) => [name, type]));
  } finally {
    await client.end();
  }
}
