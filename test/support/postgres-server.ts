import type { TestProject } from "vitest/node";

import { startThrowAwayPostgres } from "./own-postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}

/** One server for a run of the tests; each test file makes databases of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, end } = await startThrowAwayPostgres({
    max_connections: "200",
    max_replication_slots: "40",
    max_wal_senders: "40",
    max_prepared_transactions: "20",
  });
  project.provide("postgresUrl", server.url);
  return end;
}
