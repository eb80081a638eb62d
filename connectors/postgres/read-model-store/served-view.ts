import type { Pool, PoolClient } from "pg";

import { giveToSchemaOwner } from "../stored-rows/ownership.ts";
import { quoted } from "../stored-rows/row-table.ts";
import { commit, inTransaction, sqlStateOf } from "../transaction.ts";
import { takeTurn } from "./turn.ts";
import { tableName } from "./table-name.ts";

/** How long a reader of the view is waited for; meanwhile its next readers wait too. */
const lockTimeoutMs = 100;
const attemptsMax = 3;
const lockNotAvailable = "55P03";
const columnsChange = "42P16";

const viewName = (projection: string): string => `read.${quoted(projection)}`;

/**
 * Leads the view to the generation that serves. The view is for people; their long queries would
 * hold up whoever moves it, so that this has a transaction of its own, after the pointer's. False: it
 * is being read; the next one who opens, swaps or removes does it.
 */
export async function leadView(pool: Pool, projection: string): Promise<boolean> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      await inTransaction(pool, `Moving the view of ${projection}`, async (client) => {
        await takeTurn(client, projection);
        await moveView(client, projection);
        return commit(undefined);
      });
      return true;
    } catch (error) {
      if (sqlStateOf(error) !== lockNotAvailable) throw error;
    }
  }
  return false;
}

/** Within the caller's transaction; where it leads there already, nothing is locked. */
export async function moveView(client: PoolClient, projection: string): Promise<void> {
  const { rows } = await client.query<{ generation: number; current: boolean }>(
    `select generation, exists (
        select from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass
          and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        where r.ev_class = to_regclass($2)
          and d.refobjid = to_regclass($3 || generation || '"')
      ) as current
     from refold.serving where projection = $1`,
    [projection, viewName(projection), tableName(projection, "").slice(0, -1)],
  );
  const [serving] = rows;
  if (serving === undefined || serving.current) return;
  const body = `view ${viewName(projection)} as
    select * from ${tableName(projection, serving.generation)}`;
  await client.query(`set local lock_timeout = ${lockTimeoutMs}; savepoint replacing`);
  try {
    // Keeps what was granted on it and the views upon it.
    await client.query(`create or replace ${body}`);
  } catch (error) {
    // A view can't lose or change columns in place, and versions may.
    if (sqlStateOf(error) !== columnsChange) throw error;
    await client.query("rollback to savepoint replacing");
    await client.query(`drop view ${viewName(projection)}; create ${body}`);
  }
  await client.query("release savepoint replacing");
  await giveToSchemaOwner(client, { schema: "read", relation: viewName(projection) });
}
