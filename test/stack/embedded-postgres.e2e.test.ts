import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../stack/postgres/embedded-postgres.ts";
import { temporaryFolder } from "../e2e/refold-process.ts";

async function started(folder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder });
  onTestFinished(() => server.stop("immediate"));
  return server;
}

async function value(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(sql);
    return Object.values((rows as Record<string, unknown>[])[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test("a server keeps its data through a clean stop and through a power cut", async () => {
  const folder = await temporaryFolder();
  const first = await started(folder);
  expect(await value(first.url, "show wal_level")).toBe("logical");
  await value(first.url, "create table kept as select 7 as n");
  await first.stop();
  const second = await started(folder);
  expect(await value(second.url, "select n from kept")).toBe(7);
  await value(second.url, "insert into kept values (8)");
  await second.stop("immediate");
  const third = await started(folder);
  expect(await value(third.url, "select sum(n)::int from kept")).toBe(15);
});

test("a server that a killed process left running is taken over", async () => {
  const folder = await temporaryFolder();
  const source = pathToFileURL(join(process.cwd(), "stack/postgres/embedded-postgres.ts")).href;
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(source)});
    const { pid } = await startEmbeddedPostgres({ folder: process.argv[1] });
    console.log(pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [pid] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGKILL");
  await once(child, "exit");
  const taken = await started(folder);
  expect(taken).toMatchObject({ adopted: true, pid: Number(pid.toString()) });
  expect(await value(taken.url, "select 1")).toBe(1);
});

test("a folder without its password file is refused by name", async () => {
  const folder = await temporaryFolder();
  const server = await started(folder);
  await server.stop("immediate");
  await rm(join(folder, "postgres.password"));
  await expect(startEmbeddedPostgres({ folder })).rejects.toThrow(/postgres\.password is missing/);
});
