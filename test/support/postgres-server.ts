import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

import { startEmbeddedPostgres } from "../../stack/postgres/embedded-postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

/** One server for a run of the tests; each test file makes databases of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "refold-test-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({
    folder,
    // Nothing here survives the run, so nothing waits for the disk.
    settings: {
      fsync: "off",
      max_connections: "200",
      max_replication_slots: "40",
      max_wal_senders: "40",
      max_prepared_transactions: "20",
    },
  });
  project.provide("postgresUrl", server.url);
  return async () => {
    await server.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  };
}
