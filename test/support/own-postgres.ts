import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../stack/postgres/embedded-postgres.ts";

/** A server that nothing survives, so nothing waits for the disk. */
export async function startThrowAwayPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly server: EmbeddedPostgres; readonly end: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "refold-test-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder, settings: { fsync: "off", ...settings } });
  return {
    server,
    end: async () => {
      await server.stop("immediate");
      // A process that died with the server may have written a last file into a folder that was empty.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * A server for one test in which a whole system captures: the name of its slot is one for all
 * databases of a server, so that two such tests can't share one.
 */
export async function serverOfTest(): Promise<string> {
  const { server, end } = await startThrowAwayPostgres();
  onTestFinished(end);
  return server.url;
}
