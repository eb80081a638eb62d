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
import { createTable, quoted, rowTable, type RowTable } from "../stored-rows/row-table.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";

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

const tableName = (projection: string, generation: number): string =>
  `read.${quoted(`${projection}__g${generation}`)}`;

const viewName = (projection: string): string => `read.${quoted(projection)}`;

const stored = (projection: string, row: GenerationRow): StoredGeneration => ({
  projection,
  generation: row.generation,
  version: row.version,
  table: rowTable(projection, tableName(projection, row.generation), row.columns),
});

/** The generation that serves, or the first, made now. Processes that open at once take turns. */
export function openGeneration(pool: Pool, model: ReadModel): Promise<Generation> {
  const { projection, version } = model;
  return inTransaction(pool, `Opening the read model ${projection}`, async (client) => {
    await takeTurn(client, projection);
    const serving = await servingRow(client, projection);
    if (serving === undefined) {
      const first = await insertGeneration(client, model);
      await movePointer(client, first);
      return commit({ ...first, serving: true });
    }
    if (serving.version !== version) throw versionDiffers(model, serving.version);
    const difference = columnDifference(serving.columns, model.columns);
    if (difference !== undefined) throw columnsDiffer(model, difference);
    const { generation } = serving;
    await addPartitions(client, { consumer: projection, generation }, model.topics);
    await createIndexes(client, model, generation);
    return commit({ projection, generation, version, serving: true });
  });
}

/** A new, empty generation that doesn't serve yet. */
export function createGeneration(pool: Pool, model: ReadModel): Promise<Generation> {
  return inTransaction(pool, `Making a generation of ${model.projection}`, async (client) => {
    await takeTurn(client, model.projection);
    return commit(await insertGeneration(client, model));
  });
}

/** Moves the pointer, and the view with it. */
export function serveGeneration(pool: Pool, generation: Generation): Promise<void> {
  return inTransaction(pool, `Swapping ${generation.projection}`, async (client) => {
    await takeTurn(client, generation.projection);
    await movePointer(client, generation);
    return commit(undefined);
  });
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
      where projection = $1 and generation = $2`,
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

async function servingRow(
  client: PoolClient,
  projection: string,
): Promise<GenerationRow | undefined> {
  const { rows } = await client.query<GenerationRow>(servingStatement, [projection]);
  return rows[0];
}

/** Held to the transaction's end: opening, making and swapping of one projection come one by one. */
async function takeTurn(client: PoolClient, projection: string): Promise<void> {
  await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `refold read model ${projection}`,
  ]);
}

async function insertGeneration(client: PoolClient, model: ReadModel): Promise<Generation> {
  const { projection, version } = model;
  const { rows } = await client.query<{ generation: number }>(
    `insert into refold.generations (projection, generation, version, columns)
     select $1::text, coalesce(max(generation), 0) + 1, $2::int4, $3::jsonb
     from refold.generations where projection = $1::text
     returning generation`,
    [projection, version, JSON.stringify(model.columns)],
  );
  const generation = rows[0]?.generation ?? 0;
  const table = rowTable(projection, tableName(projection, generation), model.columns);
  await client.query(createTable(table));
  await createIndexes(client, model, generation);
  await addPartitions(client, { consumer: projection, generation }, model.topics);
  return { projection, generation, version, serving: false };
}

/** Only those that are missing: making an index waits for every writer of the table. */
async function createIndexes(
  client: PoolClient,
  model: ReadModel,
  generation: number,
): Promise<void> {
  const table = rowTable(model.projection, tableName(model.projection, generation), model.columns);
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

async function movePointer(client: PoolClient, of: Generation): Promise<void> {
  await client.query(
    `insert into refold.serving (projection, generation) values ($1, $2)
     on conflict (projection) do update set generation = excluded.generation, since = now()`,
    [of.projection, of.generation],
  );
  // Not replaced in place: a view can't lose columns, and versions may.
  await client.query(`drop view if exists ${viewName(of.projection)}`);
  await client.query(
    `create view ${viewName(of.projection)} as
     select * from ${tableName(of.projection, of.generation)}`,
  );
}
