import type { Pool } from "pg";

/**
 * Puts a clock before the database's own, for all connections made afterwards: functions of the
 * same names in a schema that is searched first. (Nothing can move a running server's clock.)
 */
export async function installJumpingClock(url: string, pool: Pool): Promise<void> {
  const { pathname } = new URL(url);
  await pool.query(`
    create schema skew;
    create table skew.jump (ahead interval not null);
    insert into skew.jump values ('0');
    create function skew.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + ahead from skew.jump $$;
    create function skew.now() returns timestamptz language sql stable as
      $$ select pg_catalog.now() + ahead from skew.jump $$;
    alter database ${pathname.slice(1)} set search_path = skew, pg_catalog, public`);
}

/** Moves it: `1 hour`, `-2 hours`. */
export async function jumpTo(pool: Pool, ahead: string): Promise<void> {
  await pool.query("update skew.jump set ahead = $1::interval", [ahead]);
}
