import { escapeIdentifier, escapeLiteral, type ClientBase, type Pool } from "pg";

import { FatalError } from "../../engine/errors.ts";
import type { DebeziumConnector } from "./connectors.ts";

/** A replication slot as the server sees it. */
export interface SlotFacts {
  readonly slot: string;
  readonly database: string | null;
  readonly plugin: string | null;
  readonly active: boolean;
  /** `reserved`, `extended`, `unreserved`, `lost`. */
  readonly walStatus: string | null;
  /** Write-ahead log that the server keeps for it. */
  readonly keptBytes: number;
  /** What committed before it has been confirmed; undefined: the server has invalidated the slot. */
  readonly confirmedLsn: number | undefined;
}

type Queries = Pick<Pool | ClientBase, "query">;

interface SlotRow extends Omit<SlotFacts, "keptBytes" | "confirmedLsn"> {
  readonly keptBytes: string | null;
  readonly confirmed: string | null;
}

export async function readSlots(
  on: Queries,
  names: readonly string[],
): Promise<ReadonlyMap<string, SlotFacts>> {
  const { rows } = await on.query<SlotRow>(
    `select slot_name::text as slot, database::text, plugin::text, active,
       wal_status as "walStatus", (confirmed_flush_lsn - '0/0'::pg_lsn)::text as confirmed,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text as "keptBytes"
     from pg_replication_slots where slot_name = any($1)`,
    [names],
  );
  const facts = rows.map(({ confirmed, keptBytes, ...row }) => ({
    ...row,
    keptBytes: Number(keptBytes ?? 0),
    confirmedLsn: confirmed === null ? undefined : Number(confirmed),
  }));
  return new Map(facts.map((one) => [one.slot, one]));
}

/**
 * Makes the publication as the connector wants it, and looks at its slot.
 *
 * @returns undefined: there is no slot.
 * @throws FatalError `wal-level`, `slot-foreign`
 */
export async function prepareSource(
  on: Queries,
  connector: DebeziumConnector,
): Promise<SlotFacts | undefined> {
  await requireLogicalWal(on);
  await ensurePublication(on, connector);
  const slot = (await readSlots(on, [connector.slot])).get(connector.slot);
  if (slot !== undefined) await assertOurs(on, slot);
  return slot;
}

async function requireLogicalWal(on: Queries): Promise<void> {
  const { rows } = await on.query<{ wal_level: string }>("show wal_level");
  const level = rows[0]?.wal_level;
  if (level === "logical") return;
  throw new FatalError(
    "wal-level",
    `The server runs with wal_level = ${level}, and Debezium reads the WAL logically.`,
    "Run alter system set wal_level = logical and restart the server.",
  );
}

async function assertOurs(on: Queries, slot: SlotFacts): Promise<void> {
  const { rows } = await on.query<{ here: string }>("select current_database()::text as here");
  const here = rows[0]?.here;
  if (slot.plugin === "pgoutput" && slot.database === here) return;
  throw new FatalError(
    "slot-foreign",
    `Replication slot ${slot.slot} belongs to database ${slot.database} with plugin ` +
      `${slot.plugin}, not to ${here} with pgoutput.`,
    "Name other connectors, or drop that slot.",
  );
}

/** Brings the tables and operations of the publication to the connector's. */
async function ensurePublication(on: Queries, connector: DebeziumConnector): Promise<void> {
  const name = escapeIdentifier(connector.publication);
  const tables = connector.tables.map(quoted).join(", ");
  const operations = escapeLiteral(connector.operations.join(", "));
  const found = await on.query("select 1 from pg_publication where pubname = $1", [
    connector.publication,
  ]);
  if (found.rowCount === 0) {
    await on.query(`create publication ${name} for table ${tables} with (publish = ${operations})`);
    return;
  }
  await on.query(`alter publication ${name} set table ${tables}`);
  await on.query(`alter publication ${name} set (publish = ${operations})`);
}

const quoted = (table: string): string => table.split(".").map(escapeIdentifier).join(".");
