import { createHash } from "node:crypto";

import type { Pool, PoolClient } from "pg";

import type { Columns } from "../../../engine/columns.ts";
import {
  columnsDiffer,
  generationUnknown,
  versionDiffers,
} from "../../../engine/generation-faults.ts";
import type { Generation, ReadModel } from "../../../engine/ports/read-model-store.ts";
import { columnDifference } from "../../../engine/stored-row.ts";
import { addPartitions } from "../positions/positions.ts";
import { giveToSchemaOwner } from "../stored-rows/ownership.ts";
import { createTable, quoted, type RowTable } from "../stored-rows/row-table.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";
import { leadView, moveView } from "./served-view.ts";
import { generationTable } from "./table-name.ts";
import { takeTurn } from "./turn.ts";

/** A generation with the table that keeps its rows. */
export interface StoredGeneration {
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  readonly table: RowTable;
}

interface GenerationRow {
  readonly generation: number;
  readonly version: number;
  readonly columns: Columns;
}

const stored = (projection: string, row: GenerationRow): StoredGeneration => ({
  projection,
  generation: row.generation,
  version: row.version,
  table: generationTable({ projection, ...row }),
});

/** The generation that serves, or the first, made now. Processes that open at once take turns. */
export async function openGeneration(pool: Pool, model: ReadModel): Promise<Generation> {
  const { projection, version } = model;
  const opened = await inTransaction(
    pool,
    `Opening the read model ${projection}`,
    async (client) => {
      await takeTurn(client, projection);
      const serving = await servingRow(client, projection);
      if (serving === undefined) {
        const first = await insertGeneration(client, model, { role: null, rebuild: null });
        await createIndexes(client, model, first.generation);
        await movePointer(client, first);
        await moveView(client, projection);
        return commit({ ...first, serving: true });
      }
      if (serving.version !== version) throw versionDiffers(model, serving.version);
      const difference = columnDifference(serving.columns, model.columns);
      if (difference !== undefined) throw columnsDiffer(model, difference);
      const { generation } = serving;
      await addPartitions(client, { consumer: projection, generation }, model.topics);
      await createIndexes(client, model, generation);
      return commit({ projection, generation, version, serving: true });
    },
  );
  // Whoever swapped may have died before it.
  await leadView(pool, projection);
  return opened;
}

/** @throws FatalError `generation-unknown`. */
export async function findGeneration(
  pool: Pool,
  { projection, generation }: { projection: string; generation: number },
): Promise<StoredGeneration> {
  const [row] = await runStatement<GenerationRow>(pool, {
    doing: `Looking up generation ${generation} of ${projection}`,
    stage: "preparing",
    text: `select generation, version, columns from refold.generations
      where projection = $1 and generation = $2 and role is distinct from 'removed'`,
    values: [projection, generation],
  });
  if (row === undefined) throw generationUnknown(projection, generation);
  return stored(projection, row);
}

/** @throws FatalError `no-generation`. */
export async function findServing(pool: Pool, projection: string): Promise<StoredGeneration> {
  const [row] = await runStatement<GenerationRow>(pool, {
    doing: `Looking up what ${projection} serves`,
    stage: "preparing",
    text: servingStatement,
    values: [projection],
  });
  if (row === undefined) throw generationUnknown(projection);
  return stored(projection, row);
}

/**
 * What serves, kept from being swapped until the caller's transaction ends.
 * @throws FatalError `no-generation`.
 */
export async function holdServing(
  client: PoolClient,
  projection: string,
): Promise<StoredGeneration> {
  // A statement of its own: a locking join would look for the generation that was there before.
  const lock = "select from refold.serving where projection = $1 for share";
  await client.query(lock, [projection]);
  const row = await servingRow(client, projection);
  if (row === undefined) throw generationUnknown(projection);
  return stored(projection, row);
}

const servingStatement = `select generation, version, columns
  from refold.serving join refold.generations using (projection, generation)
  where projection = $1`;

export async function servingRow(
  client: PoolClient,
  projection: string,
): Promise<GenerationRow | undefined> {
  const { rows } = await client.query<GenerationRow>(servingStatement, [projection]);
  return rows[0];
}

/** With an empty table, without its indexes, and with a place for every partition. */
export async function insertGeneration(
  client: PoolClient,
  model: ReadModel,
  made: { readonly role: "building" | null; readonly rebuild: bigint | null },
): Promise<Generation> {
  const { projection, version } = model;
  const { rows } = await client.query<{ generation: number }>(
    `insert into refold.generations (projection, generation, version, columns, role, rebuild)
     select $1::text, coalesce(max(generation), 0) + 1, $2::int4, $3::jsonb, $4::text, $5::int8
     from refold.generations where projection = $1::text
     returning generation`,
    [projection, version, JSON.stringify(model.columns), made.role, made.rebuild],
  );
  const generation = rows[0]?.generation ?? 0;
  const table = generationTable({ ...model, generation });
  await client.query(createTable(table));
  await giveToSchemaOwner(client, { schema: "read", relation: table.sqlName });
  await addPartitions(client, { consumer: projection, generation }, model.topics);
  return { projection, generation, version, serving: false };
}

/** Only those that are missing: making an index waits for every writer of the table. */
export async function createIndexes(
  client: PoolClient,
  model: ReadModel,
  generation: number,
): Promise<void> {
  const table = generationTable({ ...model, generation });
  for (const index of model.indexes) {
    const name = indexName(model.projection, generation, index);
    const found = await client.query("select 1 where to_regclass($1) is not null", [
      `read.${quoted(name)}`,
    ]);
    if (found.rows.length > 0) continue;
    const names = index.map((name) => {
      const column = table.columns.find((column) => column.name === name);
      if (column === undefined) throw new TypeError(`${model.projection} has no column ${name}.`);
      return column.sqlName;
    });
    await client.query(
      `create index ${quoted(name)} on ${table.sqlName} (${names.join(", ")}, key)`,
    );
  }
}

/** Short enough for Postgres' 63 bytes, whatever the columns are. */
function indexName(projection: string, generation: number, columns: readonly string[]): string {
  const digest = createHash("sha1").update(JSON.stringify(columns)).digest("hex").slice(0, 8);
  return `${projection}__g${generation}_${digest}`;
}

/** The role of the one that served is the caller's to say. */
export async function movePointer(
  client: PoolClient,
  of: Pick<Generation, "projection" | "generation">,
): Promise<void> {
  const { projection, generation } = of;
  await client.query(
    `insert into refold.serving (projection, generation) values ($1, $2)
     on conflict (projection)
     do update set generation = excluded.generation, since = clock_timestamp()`,
    [projection, generation],
  );
  await client.query(
    `update refold.generations set role = null, kept_until = null
     where projection = $1 and generation = $2`,
    [projection, generation],
  );
}
