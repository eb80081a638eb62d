import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Process id of the database's first process, of the data folder of an instance. */
export async function postmasterOf(folder: string): Promise<number> {
  const text = await readFile(join(folder, "postgres", "postmaster.pid"), "utf8");
  return Number(text.split("\n")[0]);
}
