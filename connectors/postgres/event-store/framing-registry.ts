import type { Pool } from "pg";

/**
 * Remembers which registry frames the store's events, the first time; afterwards tells which one
 * it was. Whoever gets another one than theirs has to compare the two before going on.
 */
export async function framingRegistry(pool: Pool, identity: string): Promise<string> {
  const { rows } = await pool.query<{ registry: string }>(
    "update refold.store set registry = coalesce(registry, $1) returning registry",
    [identity],
  );
  return rows[0]?.registry ?? identity;
}

/** The registry that frames the store's events; undefined before the first. */
export async function knownFraming(pool: Pool): Promise<string | undefined> {
  const { rows } = await pool.query<{ registry: string | null }>(
    "select registry from refold.store",
  );
  return rows[0]?.registry ?? undefined;
}

/** Accepts another registry, which has the same schemas under the same ids. */
export async function setFramingRegistry(pool: Pool, identity: string): Promise<void> {
  await pool.query("update refold.store set registry = $1", [identity]);
}
