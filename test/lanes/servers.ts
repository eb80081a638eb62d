import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { startStack } from "../../stack/services/index.ts";
import { findJava } from "../../stack/services/java.ts";

const run = promisify(execFile);

/** Servers for a lane, until they are stopped. */
export interface Servers {
  /** Where they come from, for people. */
  readonly from: string;
  /** Their addresses, by the names of environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Why there are none, and what to do about it. */
export interface Missing {
  readonly reason: string;
}

const stackVariables = ["KAFKA_BROKERS", "CONNECT_URL", "SCHEMA_REGISTRY_URL"] as const;

/** Kafka, Connect and a registry: those that the environment names, or the stack without Docker. */
export async function stackServers(environment = process.env): Promise<Servers | Missing> {
  const given = stackVariables.filter((name) => environment[name]);
  if (given.length === stackVariables.length) {
    return { from: "the environment", environment: {}, stop: async () => undefined };
  }
  const lacking = await stackFault();
  return lacking === undefined ? startLocal() : { reason: lacking };
}

/** The registry needs the newest Java of all. */
async function stackFault(): Promise<string | undefined> {
  try {
    await findJava(17);
    await findJava(21);
    await run("mvn", ["--version"]);
    return undefined;
  } catch (error) {
    return `Java 17 and 21 and Maven are needed: ${(error as Error).message}`;
  }
}

async function startLocal(): Promise<Servers> {
  const data = await mkdtemp(join(tmpdir(), "refold-lanes-"));
  const cache = join(homedir(), ".cache", "refold", "stack");
  const stack = await startStack({ cache, data });
  return {
    from: "the stack without Docker",
    environment: stack.environment,
    stop: async () => {
      await stack.stop();
      await rm(data, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Tests of Redis start, pause and kill servers of their own. */
export async function redisServers(): Promise<Servers | Missing> {
  try {
    await run("redis-server", ["--version"]);
  } catch {
    return { reason: "redis-server is not on the path (Debian: apt-get install redis-server)" };
  }
  return { from: "redis-server", environment: {}, stop: async () => undefined };
}

/** Tests of the page start servers of their own, and a Chromium. */
export async function browserPrograms(environment = process.env): Promise<Servers | Missing> {
  const given = environment["CHROMIUM"];
  for (const path of given === undefined ? ["chromium", "chromium-browser"] : [given]) {
    try {
      const { stdout } = await run("which", [path]);
      const found = { CHROMIUM: stdout.trim() };
      return { from: found.CHROMIUM, environment: found, stop: async () => undefined };
    } catch {
      // Perhaps it has its other name.
    }
  }
  return {
    reason:
      "there is no Chromium (Debian: apt-get install chromium; elsewhere name it in CHROMIUM)",
  };
}
