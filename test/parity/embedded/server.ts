import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startEmbeddedPostgres } from "../../../stack/postgres/embedded-postgres.ts";

/** What scenarios need of a server: many slots at once, and prepared transactions. */
export const scenarioSettings = {
  fsync: "off",
  max_connections: "100",
  max_replication_slots: "40",
  max_wal_senders: "40",
  max_prepared_transactions: "10",
} as const;

/** An embedded Postgres for scenarios; nothing of it is left at the end. */
export async function startScenarioServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const folder = await mkdtemp(join(tmpdir(), "refold-parity-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder, settings: scenarioSettings });
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      await server.stop("immediate");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
