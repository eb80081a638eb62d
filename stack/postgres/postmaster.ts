import { execFile as execFileWithCallback } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { EmbeddedPostgresError } from "./errors.ts";

const execFile = promisify(execFileWithCallback);

/** `fast` ends sessions and writes a checkpoint; `immediate` is a power cut. */
export type StopMode = "fast" | "immediate";

/** A server's first process. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

const pidFile = (data: string): string => join(data, "postmaster.pid");

/**
 * The server that still runs on a data folder. A file that it left behind names a process that may
 * by now be a stranger's (after a power cut, say): the file is removed then, for the next server
 * would refuse to start beside it, and nobody may be stopped who isn't ours.
 */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(pidFile(data), "utf8").catch(() => "");
  // The first line is the process id, the fourth the port.
  const [pid = 0, , , port = 0] = text.split("\n").map(Number);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  if (await isServerOf(pid, data)) return { pid, port };
  await rm(pidFile(data), { force: true });
  return undefined;
}

/** Does the command line of a process name the folder? */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => commandOf(pid));
  return words.includes(data);
}

/** Where there is no /proc. */
async function commandOf(pid: number): Promise<string> {
  const { stdout } = await execFile("ps", ["-ww", "-o", "command=", "-p", String(pid)]);
  return stdout;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function stopPostmaster(data: string, pid: number, mode: StopMode): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
  const deadline = performance.now() + 30_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(
        `Postgres (process ${pid}) on ${data} did not stop within 30 s.`,
      );
    }
    await delay(20);
  }
}
