import type { ClientBase } from "pg";

import type { CapturedTable } from "../options.ts";
import type { TableName } from "./names.ts";
import { selectsTable, type TableSelection } from "./selection.ts";

/** Temporary and unlogged tables leave nothing in the WAL. */
const tablesQuery = `
  select n.nspname::text as schema, c.relname::text as table
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relpersistence = 'p'
  order by 1, 2`;

/** The database's tables that a selection takes, by schema and name. */
export async function findTables(
  client: ClientBase,
  selection: TableSelection,
): Promise<CapturedTable[]> {
  const { rows } = await client.query<TableName>(tablesQuery);
  return rows
    .filter((name) => selectsTable(selection, name))
    .map(({ schema, table }) => ({
      name: `${schema}.${table}`,
      partitions: selection.partitions,
    }));
}
