import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const fileName = "instance.json";

/** What the holder of a data folder tells of itself, for other commands. */
export interface Instance {
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** The command that holds the folder: `start`, `import`, ... */
  readonly command: string;
  /** Left out while the database is still starting. */
  readonly databaseUrl?: string;
  /** Where the API listens; left out where there is none. */
  readonly httpUrl?: string;
}

/** Replaces the file in one step; it holds the database's password, so only the owner reads it. */
export async function writeInstance(folder: string, instance: Instance): Promise<void> {
  const path = join(folder, fileName);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(instance, undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}

/** undefined when there is none, or none that can be read: only the lock says whether it holds. */
export async function readInstance(folder: string): Promise<Instance | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(folder, fileName), "utf8"));
    return isInstance(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export async function removeInstance(folder: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
}

function isInstance(value: unknown): value is Instance {
  if (typeof value !== "object" || value === null) return false;
  const { pid, startedAt, command } = value as Partial<Instance>;
  return typeof pid === "number" && typeof startedAt === "string" && typeof command === "string";
}
