import { execFile as execFileWithCallback } from "node:child_process";
import { chmod, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { onTestFinished } from "vitest";

import { temporaryFolder } from "../e2e/refold-process.ts";

const execFile = promisify(execFileWithCallback);
const MiB = 1024 * 1024;

/** A file system of its own for a test, of a size that can be filled in a moment. */
export class SmallDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** undefined: this account may not mount. The disk is unmounted when the test ends. */
  static async mount(megabytes: number): Promise<SmallDisk | undefined> {
    const folder = await temporaryFolder();
    try {
      await execFile("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
    } catch {
      return undefined;
    }
    // Whoever uses it is stopped in hooks that are registered later, and so run earlier.
    onTestFinished(async () => {
      await execFile("umount", [folder]);
    });
    await chmod(folder, 0o755);
    return new SmallDisk(folder);
  }

  /** Fills it until at most so many megabytes are left. */
  async fillTo(megabytesLeft: number): Promise<void> {
    const ballast = await open(this.#ballast, "a");
    try {
      const piece = Buffer.alloc(MiB, 1);
      while ((await this.#freeBytes()) > megabytesLeft * MiB) await ballast.write(piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      await ballast.close();
    }
  }

  /** Takes away what filled it. */
  async clear(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  get #ballast(): string {
    return join(this.folder, "ballast");
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }
}
