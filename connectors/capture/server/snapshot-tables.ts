import type { ClientBase } from "pg";

import type { CapturedTable, CaptureSettings } from "../options.ts";
import { quoteName } from "../tables/names.ts";
import { selectColumns } from "./text-rows.ts";

/**
 * The tables whose rows a snapshot tells, in its order: that of the expressions by which they were
 * found, and by name among those that fit one; listed tables come as they are listed.
 */
export function snapshotTables(settings: CaptureSettings): readonly CapturedTable[] {
  const { tables, selection, signals, snapshot } = settings;
  const { include } = snapshot;
  const told = include
    ? tables.filter(({ name }) => include.some((pattern) => pattern.test(name)))
    : tables;
  if (!selection) return told;
  const sorted = told.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  if (!selection.includeTables) return sorted;
  const fit = selection.includeTables.flatMap((pattern) =>
    sorted.filter(({ name }) => pattern.test(name)),
  );
  const ofSignals = sorted.filter(({ name }) => name === signals?.table);
  return [...new Set([...fit, ...ofSignals])];
}

/**
 * The query of a table's rows with these columns: a SELECT of the user's own stands in for the
 * table, and columns that it lacks are NULL.
 */
export async function snapshotQuery(
  client: ClientBase,
  { snapshot }: CaptureSettings,
  { table, columns }: { readonly table: string; readonly columns: readonly string[] },
): Promise<string> {
  const own = snapshot.selects[table]?.trim().replace(/;$/, "");
  if (own === undefined) return selectColumns(table, columns);
  const { fields } = await client.query(`select * from (${own}) chosen limit 0`);
  const given = new Set(fields.map((field) => field.name));
  const list = columns.map((name) => (given.has(name) ? quoteName(name) : "null"));
  return `select ${list.join(", ")} from (${own}) chosen`;
}
