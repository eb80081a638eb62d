import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { ServiceError, startStack } from "../stack/services/index.ts";
import type { MeasuredInstance } from "./_instance.ts";

/** Servers of the production path, by the names of the settings that tell where they are. */
export interface StackServers extends AsyncDisposable {
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The servers that the environment names, or a stack of the benchmark's own where it lacks one of
 * those that are needed; undefined, with a line that says why, where none can be started.
 */
export async function stackServers(
  benchmark: string,
  needed: readonly string[],
): Promise<StackServers | undefined> {
  const missing = needed.filter((name) => !process.env[name]);
  if (missing.length === 0) {
    const named = [...needed, "REDIS_URL"].filter((name) => process.env[name]);
    const settings = Object.fromEntries(named.map((name) => [name, process.env[name] ?? ""]));
    return { settings, [Symbol.asyncDispose]: async () => undefined };
  }
  try {
    return await startOwn();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    console.log(`${benchmark}: left out, because ${missing.join(", ")} name no server, and:`);
    console.log(error.message);
    return undefined;
  }
}

async function startOwn(): Promise<StackServers> {
  const data = await mkdtemp(join(tmpdir(), "refold-bench-stack-"));
  const remove = () => rm(data, { recursive: true, force: true });
  try {
    const stack = await startStack({ cache: join(homedir(), ".cache", "refold", "stack"), data });
    const stop = async () => {
      await stack.stop();
      await remove();
    };
    return { settings: stack.environment, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** `refold start` on these servers, captured by Debezium. */
export async function startOnStack({ settings }: StackServers): Promise<MeasuredInstance> {
  await runToEnd(["connectors", "apply"], settings);
  const child = begin(["start", "--port", "0"], settings);
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  try {
    const httpUrl = await Promise.race([printedUrl(child), failOn(exited)]);
    const databaseUrl = settings["DATABASE_URL"] ?? "";
    const reached = { pid: child.pid ?? 0, options: [], settings: withCapture(settings) };
    return { httpUrl, databaseUrl, ...reached, [Symbol.asyncDispose]: stop };
  } catch (error) {
    if (child.exitCode === null) await stop();
    throw error;
  }
}

const withCapture = (settings: Readonly<Record<string, string>>) => ({
  CAPTURE: "debezium",
  REFOLD_AUTH: "off",
  ...settings,
});

function begin(args: readonly string[], settings: Readonly<Record<string, string>>) {
  const launcher = new URL("../bin/refold.js", import.meta.url).pathname;
  return spawn(process.execPath, [launcher, ...args], {
    env: { ...process.env, ...withCapture(settings) },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function runToEnd(args: readonly string[], settings: Readonly<Record<string, string>>) {
  const child = begin(args, settings);
  child.stdout.resume();
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`refold ${args.join(" ")} ended with code ${String(code)}.`);
}

function printedUrl({ stdout }: ReturnType<typeof begin>): Promise<string> {
  return new Promise((resolve) => {
    let printed = "";
    stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const url = /Refold listens on (\S+)/.exec(printed)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
}

async function failOn(exited: Promise<unknown[]>): Promise<never> {
  const [code] = await exited;
  throw new Error(`refold start ended with code ${String(code)} before it was ready.`);
}
