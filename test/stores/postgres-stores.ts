import type { Pool } from "pg";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { engineMigrations } from "../../connectors/postgres/schema.ts";
import { newDatabase } from "../support/database.ts";

/** A migrated database of a suite's own, with a pool on it. */
export async function storesDatabase(
  over: { readonly connectionsMax?: number; readonly lockTimeoutMs?: number } = {},
): Promise<{ url: string; pool: Pool } & AsyncDisposable> {
  const database = await newDatabase();
  const pool = makePool({ url: database.url, name: "stores test", connectionsMax: 6, ...over });
  await migrate(pool, engineMigrations());
  return {
    url: database.url,
    pool,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
      await database.drop();
    },
  };
}
