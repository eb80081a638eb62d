import type { Pool, PoolClient } from "pg";

import type { Columns } from "../../../engine/columns.ts";
import { processorUnknown, stateDiffers } from "../../../engine/generation-faults.ts";
import type { ProcessorModel } from "../../../engine/ports/processor-store.ts";
import { columnDifference } from "../../../engine/stored-row.ts";
import { addPartitions } from "../positions/positions.ts";
import { createTable, quoted, rowTable, type RowTable } from "../stored-rows/row-table.ts";
import { commit, inTransaction, runStatement } from "../transaction.ts";

/** The table of a processor's states; undefined where it keeps none. */
export type StateTable = RowTable | undefined;

const stateTable = (processor: string, columns: Columns | null): StateTable =>
  columns === null
    ? undefined
    : rowTable(processor, `refold.${quoted(`state__${processor}`)}`, columns);

/** Makes table and positions where they aren't there. @throws FatalError `columns-differ`. */
export function openProcessor(pool: Pool, model: ProcessorModel): Promise<void> {
  const { processor, state } = model;
  return inTransaction(pool, `Opening the processor ${processor}`, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `refold processor ${processor}`,
    ]);
    const stored = await storedColumns(client, processor);
    if (stored === undefined) await insertProcessor(client, processor, state ?? null);
    else {
      const difference = columnDifference(stored ?? {}, state ?? {});
      if (difference !== undefined) throw stateDiffers(processor, difference);
    }
    await addPartitions(client, { consumer: processor, generation: 0 }, model.topics);
    return commit(undefined);
  });
}

async function insertProcessor(
  client: PoolClient,
  processor: string,
  columns: Columns | null,
): Promise<void> {
  await client.query("insert into refold.processors (processor, columns) values ($1, $2::jsonb)", [
    processor,
    columns && JSON.stringify(columns),
  ]);
  const table = stateTable(processor, columns);
  if (table !== undefined) await client.query(createTable(table));
}

const columnsStatement = "select columns from refold.processors where processor = $1";

async function storedColumns(
  client: PoolClient,
  processor: string,
): Promise<Columns | null | undefined> {
  const { rows } = await client.query<{ columns: Columns | null }>(columnsStatement, [processor]);
  return rows[0]?.columns;
}

/** @throws FatalError `processor-unknown`. */
export async function findStateTable(pool: Pool, processor: string): Promise<StateTable> {
  const [found] = await runStatement<{ columns: Columns | null }>(pool, {
    doing: `Looking up the processor ${processor}`,
    stage: "preparing",
    text: columnsStatement,
    values: [processor],
  });
  if (found === undefined) throw processorUnknown(processor);
  return stateTable(processor, found.columns);
}
