import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { CaptureSettings } from "../options.ts";
import type { CapturedTables } from "../tables/captured-tables.ts";
import { parseTableName, quoteTable, topicName } from "../tables/names.ts";

/** How long a table's writers may hold up the look at it. */
const lockTimeoutMs = 10_000;

export interface AddedTables {
  /** `schema.table`, each. */
  readonly names: readonly string[];
  readonly settings: CaptureSettings;
  readonly tables: CapturedTables;
}

/**
 * Lets tables into a capture that runs already, in one transaction with what puts them into its
 * publication: the stream has only what is written afterwards. The lock waits for writers that have
 * begun, and keeps others from writing between the look and the publication; readers don't notice
 * it.
 *
 * @returns The tables that have rows: these are still to be told.
 * @throws FatalError `table-added` naming every table whose rows can't be told so.
 */
export async function admit(
  client: ClientBase,
  added: AddedTables,
  publish: () => Promise<void>,
): Promise<string[]> {
  await client.query(`begin; set local lock_timeout = ${lockTimeoutMs}`);
  try {
    const filled: string[] = [];
    const faults: string[] = [];
    for (const name of added.names) {
      const table = quoteTable(parseTableName(name));
      await client.query(`lock table ${table} in share mode`);
      const { rows } = await client.query<{ any: boolean }>(
        `select exists (select from ${table}) as any`,
      );
      const isFilled = rows[0]?.any === true;
      if (isFilled) filled.push(name);
      faults.push(...(await tableFaults(name, isFilled ? "filled" : "empty", added)));
    }
    if (faults.length > 0) throw tableAdded(faults, added.settings.slot);
    await publish();
    await client.query("commit");
    return filled;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}

/** What the topic of a table that comes back tells of it may be gone, and nobody would say so. */
async function tableFaults(
  name: string,
  state: "filled" | "empty",
  { settings, tables }: AddedTables,
): Promise<string[]> {
  const { sink } = settings;
  const captured = settings.tables.find((table) => table.name === name);
  if (!captured) return state === "empty" ? [] : [`${name} is an outbox table with rows`];
  if (await sink.hasRecords?.(topicName(settings, parseTableName(name)))) {
    return [`${name} was captured before, and may have lost rows meanwhile`];
  }
  if (state === "empty") return [];
  if (!sink.hasRecords) return [`${name} has rows, and the sink doesn't know its own topics`];
  const { primaryKey } = await tables.definition(captured);
  return primaryKey.length > 0 ? [] : [`${name} has rows and no primary key to read them by`];
}

const tableAdded = (faults: readonly string[], slot: string): FatalError =>
  new FatalError(
    "table-added",
    `Tables came to the capture of slot ${slot} after its snapshot whose rows can't be told while ` +
      `it runs: ${faults.join("; ")}.`,
    "Leave the table out, give it a primary key, or run refold capture repair --always: it tells " +
      "what is gone and what is there.",
  );
