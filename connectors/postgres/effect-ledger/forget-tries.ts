import type { Pool } from "pg";

import { runStatement } from "../transaction.ts";

/**
 * Tries that have begun are taken for dead, and their effects are due at once: for a process that
 * knows to be the only one on this database. Otherwise they are due when their leases end.
 */
export async function forgetTries(pool: Pool): Promise<void> {
  await runStatement(pool, {
    doing: "Forgetting tries of effects",
    stage: "changing",
    text: `update refold.open_effects set next_at = clock_timestamp()
           where state = 'started' and next_at > clock_timestamp()`,
  });
}
