import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../../shared/vectors/avro");

/**
 * Cases from outside where their folder stands beside the project, the given ones otherwise: so a
 * test of them always has something to hold.
 */
export function vectors<T>(name: string, own: readonly T[]): readonly T[] {
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) return own;
  return [...own, ...(JSON.parse(readFileSync(file, "utf8")) as readonly T[])];
}
