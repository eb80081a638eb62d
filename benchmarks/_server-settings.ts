import type { Pool } from "pg";

/** What a Postgres does for durability, and what it has to do it with: a sentence for the run. */
export async function serverSettings(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings
     where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes',
       'wal_level', 'shared_buffers', 'max_wal_size')
     order by name = 'server_version' desc, name`,
  );
  const settings = rows.map(({ name, value }) => `${name}=${value}`).join(" ");
  return `one Postgres for all: ${settings}`;
}
