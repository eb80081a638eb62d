import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import { quoteName, quoteTable, type TableName } from "../tables/names.ts";

/** Refuses a server whose WAL doesn't carry what logical decoding needs. */
export async function checkWalLevel(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ wal_level: string }>("show wal_level");
  const level = rows[0]?.wal_level;
  if (level === "logical") return;
  throw new FatalError(
    "wal-level",
    `The server runs with wal_level = ${level}, and capture reads the WAL logically.`,
    "Run alter system set wal_level = logical and restart the server.",
  );
}

/**
 * Makes the publication, or adds the tables that it lacks. Tables that it has beyond these stay,
 * and are not captured.
 */
export async function ensurePublication(
  client: ClientBase,
  publication: string,
  tables: readonly TableName[],
): Promise<void> {
  const found = await client.query<{ all: boolean }>(
    "select puballtables as all from pg_publication where pubname = $1",
    [publication],
  );
  const name = quoteName(publication);
  if (found.rows.length === 0) {
    const list = tables.map(quoteTable).join(", ");
    await client.query(
      `create publication ${name} for table ${list} with (publish_via_partition_root = true)`,
    );
    return;
  }
  if (found.rows[0]?.all) return;
  const has = await publishedTables(client, publication);
  const missing = tables.map(quoteTable).filter((table) => !has.has(table));
  if (missing.length === 0) return;
  await client.query(`alter publication ${name} add table ${missing.join(", ")}`);
}

async function publishedTables(client: ClientBase, publication: string): Promise<Set<string>> {
  const { rows } = await client.query<TableName>(
    `select n.nspname::text as schema, c.relname::text as table
     from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
     join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace
     where p.pubname = $1`,
    [publication],
  );
  return new Set(rows.map(quoteTable));
}
