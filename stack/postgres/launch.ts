import { spawn, type ChildProcess } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { launchAs, type Account } from "./account.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { makeDatabase } from "./connection.ts";
import { EmbeddedPostgresError } from "./errors.ts";

/** Where a server's files are, whose they are, and what runs on them. */
export interface Place {
  readonly data: string;
  readonly account: Account | undefined;
  readonly binaries: PostgresBinaries;
}

export async function runToEnd(
  place: Place,
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; text: string }> {
  const launch = await launchAs(place.account, program, args);
  const child = spawn(launch.command, launch.args, {
    ...ids(launch),
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, text: text.trim() };
}

function ids(launch: { uid?: number; gid?: number }): { uid?: number; gid?: number } {
  return {
    ...(launch.uid === undefined ? {} : { uid: launch.uid }),
    ...(launch.gid === undefined ? {} : { gid: launch.gid }),
  };
}

/** Starts the server and leaves it to itself. */
export async function launch(
  folder: string,
  place: Place & { settings: Readonly<Record<string, string>> },
): Promise<ChildProcess> {
  const options = Object.entries(place.settings).flatMap(([key, value]) => [
    "-c",
    `${key}=${value}`,
  ]);
  const how = await launchAs(place.account, place.binaries.postgres, [
    "-D",
    place.data,
    ...options,
  ]);
  const log = await open(join(folder, "postgres.log"), "a", 0o600);
  try {
    // A group of its own: Ctrl-C in the terminal must reach us, who stop it after the drain.
    const child = spawn(how.command, how.args, {
      ...ids(how),
      cwd: place.data,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.on("error", () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

/** @throws EmbeddedPostgresError when it ends, or doesn't answer in time. */
export async function untilAnswering(
  child: ChildProcess,
  wait: { port: number; password: string; folder: string; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + wait.timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new EmbeddedPostgresError(
        `Postgres ended at its start on ${wait.folder}: ${await lastWords(wait.folder)}`,
      );
    }
    if (await makeDatabase(wait.port, wait.password)) return;
    await delay(25);
  }
  child.kill("SIGQUIT");
  throw new EmbeddedPostgresError(
    `Postgres on ${wait.folder} did not answer within ${wait.timeoutMs} ms: ${await lastWords(wait.folder)}`,
  );
}

async function lastWords(folder: string): Promise<string> {
  const log = await readFile(join(folder, "postgres.log"), "utf8").catch(() => "");
  const lines = log.trimEnd().split("\n").slice(-3).join(" / ");
  return `${lines} (whole log: ${join(folder, "postgres.log")})`;
}
