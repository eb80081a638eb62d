import type { Pool, PoolClient } from "pg";

import type { Columns } from "../../../engine/columns.ts";
import {
  assertRemovable,
  generationServes,
  generationUnknown,
} from "../../../engine/generation-faults.ts";
import type { GenerationRole } from "../../../engine/ports/generations.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { moveView } from "../read-model-store/served-view.ts";
import { generationTable } from "../read-model-store/table-name.ts";
import { takeTurn } from "../read-model-store/turn.ts";
import type { RowTable } from "../stored-rows/row-table.ts";
import { commit, inTransaction } from "../transaction.ts";
import { giveUpHeals } from "./heals.ts";
import { giveTurn } from "./turns.ts";

type Named = Pick<Generation, "projection" | "generation">;
type StoredRole = GenerationRole | "removed";

/** Whoever reads the table is waited for this long: those behind it in the lock's queue wait too. */
const dropTimeoutMs = 200;

export function retireGeneration(pool: Pool, of: Named): Promise<void> {
  const { projection, generation } = of;
  return inTransaction(
    pool,
    `Retiring generation ${generation} of ${projection}`,
    async (client) => {
      await takeTurn(client, projection);
      const { role } = await lockedGeneration(client, of);
      if (role === "serving") throw generationServes(projection, generation);
      if (role === "removed" || role === "removing") return commit(undefined);
      await client.query(
        `update refold.generations set role = 'removing', kept_until = null
       where projection = $1 and generation = $2`,
        [projection, generation],
      );
      await giveUpHeals(client, of);
      await giveTurn(client);
      return commit(undefined);
    },
  );
}

/**
 * A slice, in a transaction of its own, of a generation that nobody needs. Its positions go first:
 * whoever works on it still is fenced out. Rows go in order of key, so that each slice begins where
 * the index has nothing dead before it; the table goes when it is empty. The dead letters stay.
 */
export function removeSlice(pool: Pool, of: Named, rowsMax: number): Promise<"more" | "gone"> {
  const { projection, generation } = of;
  return inTransaction(
    pool,
    `Removing generation ${generation} of ${projection}`,
    async (client) => {
      await takeTurn(client, projection);
      const { role, columns } = await lockedGeneration(client, of);
      if (role === "removed") return commit<"more" | "gone">("gone");
      assertRemovable(of, role);
      const names = [projection, generation];
      await client.query(
        "delete from refold.positions where consumer = $1 and generation = $2",
        names,
      );
      const table = generationTable({ ...of, columns });
      if ((await deleteRows(client, table, rowsMax)) > 0) return commit<"more" | "gone">("more");
      await client.query(
        "delete from refold.digests where projection = $1 and generation = $2",
        names,
      );
      await moveView(client, projection);
      await client.query(`set local lock_timeout = ${dropTimeoutMs}`);
      await client.query(`drop table if exists ${table.sqlName}`);
      await client.query(
        "update refold.generations set role = 'removed' where projection = $1 and generation = $2",
        names,
      );
      await giveTurn(client);
      return commit<"more" | "gone">("gone");
    },
  );
}

async function deleteRows(client: PoolClient, table: RowTable, rowsMax: number): Promise<number> {
  const { rowCount } = await client.query(
    `delete from ${table.sqlName} where key = any(array(
       select key from ${table.sqlName} order by key limit $1))`,
    [rowsMax],
  );
  return rowCount ?? 0;
}

/** Not its key, as in a swap. @throws FatalError `generation-unknown`. */
async function lockedGeneration(
  client: PoolClient,
  { projection, generation }: Named,
): Promise<{ readonly role: StoredRole; readonly columns: Columns }> {
  const { rows } = await client.query<{ role: StoredRole; columns: Columns }>(
    `select coalesce(role, 'serving') as role, columns from refold.generations
     where projection = $1 and generation = $2 for no key update`,
    [projection, generation],
  );
  if (rows[0] === undefined) throw generationUnknown(projection, generation);
  return rows[0];
}
