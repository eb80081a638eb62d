import { mkdir, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { DataFolderError } from "./errors.ts";
import { readInstance, removeInstance, writeInstance, type Instance } from "./instance-file.ts";
import { FolderLock } from "./lock.ts";

/** A data folder that this process holds: nobody else starts a server on it until it is closed. */
export class HeldFolder implements AsyncDisposable {
  readonly path: string;
  readonly #lock: FolderLock;
  #instance: Instance;

  private constructor(path: string, lock: FolderLock, instance: Instance) {
    this.path = path;
    this.#lock = lock;
    this.#instance = instance;
  }

  /** Takes a folder whose lock is ours already, and says so in its instance file. */
  static async hold(path: string, lock: FolderLock, command: string): Promise<HeldFolder> {
    const startedAt = new Date().toISOString();
    const held = new HeldFolder(path, lock, { pid: process.pid, startedAt, command });
    await held.announce({});
    return held;
  }

  /** Adds to what the instance file says. */
  async announce(more: Pick<Instance, "databaseUrl" | "httpUrl">): Promise<void> {
    this.#instance = { ...this.#instance, ...more };
    await writeInstance(this.path, this.#instance);
  }

  /** Removes the instance file and gives the lock back. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await removeInstance(this.path);
    } finally {
      this.#lock[Symbol.dispose]();
    }
  }
}

export type FolderUse =
  | { readonly kind: "held"; readonly folder: HeldFolder }
  /** Somebody else has it; the instance is missing for a moment after they took it. */
  | { readonly kind: "in-use"; readonly instance: Instance | undefined };

export interface OpenFolderOptions {
  readonly path: string;
  /** Named in the instance file while we hold the folder. */
  readonly command: string;
  /** What to do where there is no such folder. */
  readonly missing: "make" | "refuse";
}

/** @throws DataFolderError `missing` or `broken`. */
export async function openFolder(options: OpenFolderOptions): Promise<FolderUse> {
  await assertFolder(options);
  const lock = FolderLock.tryAcquire(options.path);
  if (!lock) return { kind: "in-use", instance: await readInstance(options.path) };
  try {
    return { kind: "held", folder: await HeldFolder.hold(options.path, lock, options.command) };
  } catch (error) {
    lock[Symbol.dispose]();
    throw new DataFolderError("broken", `${options.path} can't be written: ${textOf(error)}.`, {
      cause: error,
    });
  }
}

/** The folder for this process alone. @throws DataFolderError `in-use`, `missing` or `broken`. */
export async function holdFolder(options: OpenFolderOptions): Promise<HeldFolder> {
  const use = await openFolder(options);
  if (use.kind === "held") return use.folder;
  throw inUse(options.path, use.instance);
}

export function inUse(path: string, instance: Instance | undefined): DataFolderError {
  const holder = instance
    ? `process ${instance.pid} (refold ${instance.command}), since ${instance.startedAt}`
    : "another process that is just starting";
  return new DataFolderError(
    "in-use",
    `The data folder ${path} is in use by ${holder}: stop it first, or choose another folder with --data.`,
  );
}

/** Waits until the holder of a folder has its database up. @throws DataFolderError `in-use`. */
export async function untilAnnounced(
  path: string,
  timeoutMs: number,
): Promise<Instance & { readonly databaseUrl: string }> {
  const deadline = performance.now() + timeoutMs;
  let instance = await readInstance(path);
  while (performance.now() < deadline) {
    const url = instance?.databaseUrl;
    if (instance && url !== undefined) return { ...instance, databaseUrl: url };
    await delay(50);
    instance = await readInstance(path);
  }
  throw inUse(path, instance);
}

async function assertFolder({ path, missing }: OpenFolderOptions): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new DataFolderError("broken", `${path} can't be looked at: ${textOf(error)}.`, {
      cause: error,
    });
  });
  if (found?.isDirectory()) return;
  if (found) {
    const message = `${path} is no folder: choose another place with --data.`;
    throw new DataFolderError("broken", message);
  }
  if (missing === "refuse") {
    throw new DataFolderError(
      "missing",
      `There is no data folder ${path}: begin with refold start, or name it with --data.`,
    );
  }
  await mkdir(path, { recursive: true, mode: 0o755 }).catch((error: unknown) => {
    throw new DataFolderError("broken", `${path} can't be made: ${textOf(error)}.`, {
      cause: error,
    });
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
