import type { AnyRow } from "../columns.ts";
import type { HotRow } from "./hot-rows.ts";

/** Loads the rows of a chunk that aren't held, with one query. */
export async function loadMissing(
  { missing }: { readonly missing: readonly HotRow[] },
  load: (keys: readonly string[]) => Promise<ReadonlyMap<string, AnyRow>>,
): Promise<void> {
  const wanted = missing.filter((row) => !row.loaded);
  if (wanted.length === 0) return;
  const rows = await load([...new Set(wanted.map((row) => row.key))]);
  for (const entry of wanted) {
    entry.row = rows.get(entry.key);
    entry.base = entry.row;
    entry.loaded = true;
  }
}
