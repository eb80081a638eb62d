import type { Pool } from "pg";

/** Takes everything out of a registry's tables; ids begin at 1 again. */
export async function emptyRegistry(pool: Pool): Promise<void> {
  await pool.query(`
    delete from refold.registry_versions;
    delete from refold.registry_schemas;
    delete from refold.registry_settings;
    delete from refold.registry_contexts where context <> '.';
    update refold.registry_contexts set last_id = 0`);
}
