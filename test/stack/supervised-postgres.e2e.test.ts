import { spawn } from "node:child_process";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { startEmbeddedPostgres } from "../../stack/postgres/embedded-postgres.ts";
import { SupervisedPostgres } from "../../stack/postgres/supervised-postgres.ts";
import { temporaryFolder, until } from "../e2e/refold-process.ts";

async function answer(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ answer: unknown }>(sql);
    return rows[0]?.answer;
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Supervised {
  readonly server: SupervisedPostgres;
  readonly reports: string[];
}

async function supervised(folder: string, attemptsMax = 8): Promise<Supervised> {
  const reports: string[] = [];
  const server = await SupervisedPostgres.start({
    folder,
    room: { untilFree: () => Promise.resolve() },
    report: (message) => void reports.push(message),
    restarts: { attemptsMax, waitMs: 10 },
  });
  onTestFinished(() => server.stop("immediate"));
  return { server, reports };
}

const untilAnother = (server: SupervisedPostgres, pid: number): Promise<true> =>
  until(
    () => (server.pid === pid ? undefined : true),
    30_000,
    () => "another server",
  );

test("a server that is killed is started again under the same URL, with what was committed", async () => {
  const { server, reports } = await supervised(await temporaryFolder());
  const { url, pid } = server;
  await answer(url, "create table kept as select 7 as answer");
  process.kill(pid, "SIGKILL");
  await untilAnother(server, pid);
  expect(server.url).toBe(url);
  expect(await answer(url, "select answer from kept")).toBe(7);
  expect(reports).toEqual([
    `The database's server (process ${pid}) has ended: it is started again.`,
    `The database's server runs again (process ${server.pid}).`,
  ]);
});

test("a server that can't be started again is given up after its tries, by name", async () => {
  const folder = await temporaryFolder();
  const { server } = await supervised(folder, 2);
  await writeFile(join(folder, "postgres", "global", "pg_control"), "no control file");
  process.kill(server.pid, "SIGKILL");
  const { message } = await server.failed;
  expect(message).toMatch(/could not be kept running \(2 starts\): .*pg_control/s);
});

test("a server that ends again and again is given up", async () => {
  const { server } = await supervised(await temporaryFolder(), 2);
  for (let end = 1; end <= 3; end += 1) {
    const { pid } = server;
    process.kill(pid, "SIGKILL");
    if (end < 3) await untilAnother(server, pid);
  }
  expect((await server.failed).message).toMatch(/ends again and again/);
});

test("data that vanished under a server are not begun anew", async () => {
  const folder = await temporaryFolder();
  const { server } = await supervised(folder, 1);
  await rename(join(folder, "postgres"), join(folder, "elsewhere"));
  process.kill(server.pid, "SIGKILL");
  expect((await server.failed).message).toMatch(/is not a data folder of Postgres 18/);
});

test("a process id that a power cut has left to a stranger harms nobody", async () => {
  const folder = await temporaryFolder();
  const first = await startEmbeddedPostgres({ folder });
  await first.stop();
  const stranger = spawn("sleep", ["60"], { stdio: "ignore" });
  onTestFinished(() => void stranger.kill("SIGKILL"));
  const left = [stranger.pid, join(folder, "postgres"), 0, first.port, "", "127.0.0.1"];
  await writeFile(join(folder, "postgres", "postmaster.pid"), `${left.join("\n")}\n`);
  const second = await startEmbeddedPostgres({ folder });
  onTestFinished(() => second.stop("immediate"));
  expect(second.adopted).toBe(false);
  expect(await answer(second.url, "select 1 as answer")).toBe(1);
  expect(stranger.exitCode).toBeNull();
  expect(stranger.signalCode).toBeNull();
});
