import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { Client } from "pg";

import { readInstance } from "../stack/data-folder/instance-file.ts";

/** A running instance to measure. */
export interface MeasuredInstance extends AsyncDisposable {
  readonly httpUrl: string;
  readonly databaseUrl: string;
  /** Of the process, whose children count as its own. */
  readonly pid: number;
  /** By what other commands find it: options, and settings of their environment. */
  readonly options: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/** Limits of an instance whose pace is measured, instead of whom it puts off to keep it. */
export const nobodyPutOff: readonly string[] = ["underWayMin=5000", "underWayFirst=5000"];

const launcher = new URL("../bin/refold.js", import.meta.url).pathname;

/** Runs another command beside the instance; its standard output is the caller's to read. */
export function refold(instance: MeasuredInstance, args: readonly string[]) {
  return spawn(process.execPath, [launcher, ...args, ...instance.options], {
    env: { ...process.env, ...instance.settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const startsWithinMs = 60_000;

/**
 * The instance of `--data DIR` where one is named; otherwise a new one on a folder of its own, with
 * more options of `refold start`, and settings of its environment.
 */
export async function measuredInstance(
  options: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
): Promise<MeasuredInstance> {
  const { values } = parseArgs({ options: { data: { type: "string" } }, strict: false });
  if (typeof values.data === "string") {
    const none = async () => undefined;
    return { ...(await urlsIn(values.data)), ...on(values.data), [Symbol.asyncDispose]: none };
  }
  return startInstance(options, settings);
}

const on = (data: string) => ({ options: ["--data", data], settings: {} });

async function startInstance(
  options: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<MeasuredInstance> {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  const data = join(folder, "data");
  const args = [launcher, "start", "--data", data, "--port", "0", ...options];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, REFOLD_AUTH: "off", ...settings },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const urls = await Promise.race([urlsOnceReady(data), failOn(exited)]);
    return { ...urls, ...on(data), [Symbol.asyncDispose]: stop };
  } catch (error) {
    if (child.exitCode === null) await stop();
    throw error;
  }
}

async function failOn(exited: Promise<unknown[]>): Promise<never> {
  const [code] = await exited;
  throw new Error(`The instance ended with code ${String(code)} before it was ready.`);
}

async function urlsOnceReady(data: string) {
  const deadline = performance.now() + startsWithinMs;
  while (performance.now() < deadline) {
    await sleep(50);
    try {
      const urls = await urlsIn(data);
      if ((await fetch(`${urls.httpUrl}/readyz`)).ok) return urls;
    } catch {
      // No instance file yet, or nobody listens yet: look again until the deadline.
    }
  }
  throw new Error(`The instance was not ready within ${startsWithinMs / 1_000} s.`);
}

async function urlsIn(data: string) {
  const instance = await readInstance(data);
  const { httpUrl, databaseUrl, pid = 0 } = instance ?? {};
  if (httpUrl === undefined || databaseUrl === undefined) {
    throw new Error(`No instance serves HTTP from ${data}.`);
  }
  return { httpUrl, databaseUrl, pid };
}

/** Runs SQL on the instance's database. */
export async function queryRows<Row extends object>(
  { databaseUrl }: MeasuredInstance,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** Puts modules of one capacity, free unless a fee is given, into the catalogue, and waits until all are on offer. */
export async function offerModules(
  instance: MeasuredInstance,
  given: { readonly modules: number; readonly capacity: number; readonly feeCents?: number },
): Promise<string[]> {
  const run = Date.now().toString(36);
  const codes = Array.from({ length: given.modules }, (_, index) => `B${run}-${index}`);
  await queryRows(
    instance,
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select code, code, $2, $3 from unnest($1::text[]) code`,
    [codes, given.capacity, given.feeCents ?? 0],
  );
  for (const code of codes) {
    const url = `${instance.httpUrl}/modules/${code}/availability`;
    await waitUntil(`${code} is on offer`, async () => (await fetch(url)).ok);
  }
  return codes;
}

export async function waitUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited 30 s in vain until ${what}.`);
    await sleep(10);
  }
}
