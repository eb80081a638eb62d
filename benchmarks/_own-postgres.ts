import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Pool } from "pg";

import { engineMigrations, makePool, migrate } from "../connectors/postgres/index.ts";
import { migrations as registry } from "../connectors/registry/index.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";

export interface OwnPostgres {
  readonly url: string;
  readonly pool: Pool;
  /** Of the postmaster, whose children are the backends. */
  readonly pid: number;
}

/** Gives `work` a Postgres of its own, with the engine's tables and a schema registry's. */
export async function onOwnPostgres(work: (own: OwnPostgres) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder });
  const pool = makePool({ url: server.url, name: "benchmark" });
  try {
    await migrate(pool, engineMigrations({ registry }));
    await work({ url: server.url, pool, pid: server.pid });
  } finally {
    await pool.end();
    await server.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  }
}
