import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import { parseTableName, quoteTable } from "../tables/names.ts";

/** How long a table's writers may hold up the look at it. */
const lockTimeoutMs = 10_000;

/**
 * Lets tables into a capture that runs already, in one transaction with what puts them into its
 * publication. The stream has only what is written afterwards, so a table with rows is refused.
 * The lock keeps a row from being written between the look and the publication; it waits for
 * writers that have begun, and readers don't notice it.
 *
 * @throws FatalError `table-added` naming every table that has rows.
 */
export async function admitEmpty(
  client: ClientBase,
  added: { readonly tables: readonly string[]; readonly slot: string },
  publish: () => Promise<void>,
): Promise<void> {
  await client.query(`begin; set local lock_timeout = ${lockTimeoutMs}`);
  try {
    const filled: string[] = [];
    for (const name of added.tables) {
      const table = quoteTable(parseTableName(name));
      await client.query(`lock table ${table} in share mode`);
      const { rows } = await client.query<{ any: boolean }>(
        `select exists (select from ${table}) as any`,
      );
      if (rows[0]?.any) filled.push(name);
    }
    if (filled.length > 0) throw tableAdded(filled, added.slot);
    await publish();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

const tableAdded = (filled: readonly string[], slot: string): FatalError =>
  new FatalError(
    "table-added",
    `${filled.join(", ")} came to the capture of slot ${slot} after its snapshot, with rows in it: ` +
      "they would be missing from its topic.",
    "Leave the table out, start with it empty and fill it then, or run refold capture repair " +
      "--always: it tells its rows.",
  );
