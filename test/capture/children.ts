import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { onTestFinished } from "vitest";

import type { CapturedDatabase } from "./captured-database.ts";

/** What a process does until it is killed. */
export interface ChildWork {
  readonly url: string;
  readonly slot: string;
  readonly kind: "capture" | "repair";
  readonly tables: readonly string[];
  /** The table whose rows are signals. */
  readonly signals?: string;
}

export interface ChildPlace {
  readonly database: CapturedDatabase;
  /** Children keep their compiled code here for those that follow. */
  readonly codeFolder: string;
}

/** Starts a process that says a line when its work has begun. */
export function startChild(
  { database: { url, slot }, codeFolder }: ChildPlace,
  work: Omit<ChildWork, "url" | "slot">,
): ChildProcess {
  const script = fileURLToPath(new URL("capture-child.ts", import.meta.url));
  const told: ChildWork = { ...work, url, slot };
  return spawn(process.execPath, [script, JSON.stringify(told)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: codeFolder },
  });
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-kills-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
