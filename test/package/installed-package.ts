import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { projectRoot } from "../support/source-tree.ts";

const run = promisify(execFile);
const longMs = 180_000;

/**
 * Somebody's empty folder, with the packed package installed in it. Nobody else may enter it, as
 * below /root: root's server, which runs under an account of its own, has to manage with that.
 */
export class InstalledPackage implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Builds, packs and installs as the documentation says. */
  static async make(): Promise<InstalledPackage> {
    const folder = await mkdtemp(join(tmpdir(), "refold-package-"));
    const made = new InstalledPackage(folder);
    try {
      await npm(projectRoot, ["run", "build"]);
      await npm(projectRoot, ["pack", "--pack-destination", folder]);
      const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
      await npm(folder, ["init", "-y"]);
      const quietly = ["--prefer-offline", "--no-audit", "--no-fund"];
      await npm(folder, ["install", ...quietly, `./${tarball}`]);
      await made.#lendTypes();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The program that `npx refold` runs. */
  get launcher(): string {
    return join(this.folder, "node_modules", "refold", "bin", "refold.js");
  }

  /** Runs a file of the folder; gives what it prints. */
  async node(file: string): Promise<string> {
    const options = { cwd: this.folder, timeout: longMs };
    return (await run(process.execPath, [file], options)).stdout;
  }

  /** Checks a file's types; gives the compiler's complaints, none where there are none. */
  async typeFaults(file: string): Promise<string> {
    const settings = ["--module", "nodenext", "--target", "esnext", "--types", "node", "--strict"];
    const args = ["--noEmit", "--ignoreConfig", ...settings, file];
    const tsc = join(projectRoot, "node_modules", ".bin", "tsc");
    try {
      await run(tsc, args, { cwd: this.folder, timeout: longMs });
      return "";
    } catch (error) {
      return String((error as { stdout?: string }).stdout);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The file is a module, and types are the project's own where no dependency brought them. */
  async #lendTypes(): Promise<void> {
    const types = join("node_modules", "@types");
    const [from, to] = [join(projectRoot, types), join(this.folder, types)];
    await mkdir(to, { recursive: true });
    const there = new Set(await readdir(to));
    const wanted = (await readdir(from)).filter((name) => !there.has(name));
    await Promise.all(wanted.map((name) => symlink(join(from, name), join(to, name))));
    const manifest = { name: "shop", private: true, type: "module" };
    await writeFile(join(this.folder, "package.json"), JSON.stringify(manifest));
  }
}

async function npm(folder: string, args: readonly string[]): Promise<void> {
  await run("npm", [...args], { cwd: folder, timeout: longMs });
}
