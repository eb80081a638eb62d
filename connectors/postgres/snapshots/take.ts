import type { Pool, PoolClient } from "pg";

import { generationUnknown } from "../../../engine/generation-faults.ts";
import type { Columns } from "../../../engine/columns.ts";
import type { Generation } from "../../../engine/ports/read-model-store.ts";
import { copiedColumns } from "../positions/positions.ts";
import { generationTable } from "../read-model-store/table-name.ts";
import { giveToSchemaOwner } from "../stored-rows/ownership.ts";
import { commit, inTransaction } from "../transaction.ts";
import { snapshotTable } from "./snapshot-table.ts";

type Named = Pick<Generation, "projection" | "generation">;

interface Taken extends Named {
  readonly id: bigint;
  readonly columns: Columns;
}

/** Copies rows, positions and digests of one moment. @throws FatalError `generation-unknown`. */
export function takeSnapshot(pool: Pool, of: Named): Promise<bigint> {
  return inTransaction(pool, `Taking a snapshot of ${of.projection}`, async (client) => {
    await client.query(
      "set transaction isolation level repeatable read; set local statement_timeout = 0",
    );
    const taken = await insertSnapshot(client, of);
    const rows = await copyRows(client, taken);
    await copyStanding(client, taken);
    await client.query("update refold.snapshots set rows = $2 where id = $1", [taken.id, rows]);
    return commit(taken.id);
  });
}

async function insertSnapshot(client: PoolClient, of: Named): Promise<Taken> {
  const { projection, generation } = of;
  const { rows } = await client.query<{ id: bigint; columns: Columns }>(
    `insert into refold.snapshots (projection, generation, version, columns)
     select projection, generation, version, columns from refold.generations
     where projection = $1 and generation = $2 and role is distinct from 'removed'
     returning id, columns`,
    [projection, generation],
  );
  const [made] = rows;
  if (made === undefined) throw generationUnknown(projection, generation);
  return { ...made, projection, generation };
}

async function copyRows(client: PoolClient, taken: Taken): Promise<number> {
  const from = generationTable(taken);
  const to = snapshotTable(taken);
  const names = ["key", "partition", ...to.columns.map(({ sqlName }) => sqlName)].join(", ");
  const { rowCount } = await client.query(
    `create table ${to.sqlName} as select ${names} from ${from.sqlName} order by key`,
  );
  await client.query(`alter table ${to.sqlName} add primary key (key)`);
  await giveToSchemaOwner(client, { schema: "snapshots", relation: to.sqlName });
  return rowCount ?? 0;
}

async function copyStanding(client: PoolClient, taken: Taken): Promise<void> {
  const of = [taken.id, taken.projection, taken.generation];
  await client.query(
    `insert into refold.snapshot_positions (snapshot, topic, partition, ${copiedColumns})
     select $1, topic, partition, ${copiedColumns} from refold.positions
     where consumer = $2 and generation = $3`,
    of,
  );
  await client.query(
    `insert into refold.snapshot_digests (snapshot, slice, high, low, rows)
     select $1, slice, high, low, rows from refold.digests
     where projection = $2 and generation = $3`,
    of,
  );
}
