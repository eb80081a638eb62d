import type { Pool, PoolClient } from "pg";

/**
 * A step of the schema. Steps are applied once, in the order of the list, each in a transaction; a
 * step that has been released is never edited, a later one changes what it made.
 */
export interface Migration {
  /** Unique and stable: `event-store-1`. */
  readonly name: string;
  readonly sql: string;
}

const lockKey = 7_365_846_011;

/**
 * Brings a database up to date; safe when several processes start at once. Where it is up to date it
 * is only read: a role without rights on the schema may do that.
 */
export async function migrate(pool: Pool, migrations: readonly Migration[]): Promise<string[]> {
  if (await isCurrent(pool, migrations)) return [];
  const client = await pool.connect();
  try {
    await client.query("set statement_timeout = 0; set lock_timeout = 0");
    await client.query("select pg_advisory_lock($1)", [lockKey]);
    return await applyMissing(client, migrations);
  } finally {
    // Ends the session, and with it the lock and the settings.
    client.release(true);
  }
}

async function isCurrent(pool: Pool, migrations: readonly Migration[]): Promise<boolean> {
  const known = await pool.query<{ there: boolean }>(
    "select to_regclass('refold.migrations') is not null as there",
  );
  if (known.rows[0]?.there !== true) return false;
  const { rows } = await pool.query<{ name: string }>("select name from refold.migrations");
  const applied = new Set(rows.map(({ name }) => name));
  return migrations.every(({ name }) => applied.has(name));
}

async function applyMissing(
  client: PoolClient,
  migrations: readonly Migration[],
): Promise<string[]> {
  await client.query(`
    create schema if not exists refold;
    create table if not exists refold.migrations (
      name text primary key,
      applied_at timestamptz not null default now()
    )`);
  const found = await client.query<{ name: string }>("select name from refold.migrations");
  const applied = new Set(found.rows.map((row) => row.name));
  const missing = migrations.filter((migration) => !applied.has(migration.name));
  for (const migration of missing) {
    await client.query("begin");
    await client.query(migration.sql);
    await client.query("insert into refold.migrations (name) values ($1)", [migration.name]);
    await client.query("commit");
  }
  return missing.map((migration) => migration.name);
}
