import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Client } from "pg";
import { expect, test } from "vitest";

import { startInstance } from "../e2e/refold-instance.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";
import { audit } from "./audit.ts";
import { postmasterOf } from "./postmaster.ts";
import { during, untilAccepted, untilReady } from "./surge-on-instance.ts";
import { Surge } from "./surge.ts";

/** A connection of the process at work: the server ends all its sessions when one is killed. */
async function aBackend(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity
     where application_name = 'refold start' and pid <> pg_backend_pid() limit 1`,
  );
  await client.end();
  return rows[0]?.pid ?? 0;
}

test("a database that is killed under load comes back, and the process with it, without a restart", async () => {
  const folder = join(await temporaryFolder(), "data");
  const instance = await startInstance(folder);
  const surge = new Surge({ modules: 12, capacity: 20, clients: 24 });
  await surge.offer(instance);
  await during(surge, instance, async () => {
    process.kill(await aBackend(instance.database), "SIGKILL");
    await untilAccepted(surge, instance);
    for (const signal of ["SIGKILL", "SIGQUIT"] as const) {
      const postmaster = await postmasterOf(folder);
      process.kill(postmaster, signal);
      await until(
        async () => {
          const now = await postmasterOf(folder).catch(() => postmaster);
          return now === postmaster ? undefined : true;
        },
        30_000,
        () => "another postmaster",
      );
      await untilAccepted(surge, instance);
    }
  });
  await untilReady(instance);
  await audit(instance, surge);
  expect(instance.process.isRunning).toBe(true);
  expect(instance.process.err).toMatch(/The database's server runs again/);
});

test("a database that can't be started again ends the process by name, with exit code 5", async () => {
  const folder = join(await temporaryFolder(), "data");
  const instance = await startInstance(folder);
  await writeFile(join(folder, "postgres", "global", "pg_control"), "no control file");
  process.kill(await postmasterOf(folder), "SIGKILL");
  const { code, err } = await instance.process.ended;
  expect(code).toBe(5);
  expect(err).toMatch(/refold: The database's server could not be kept running \(6 starts\)/);
});
