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
  readonly confirmedLsn: string | null;
}

type Queries = Pick<Pool | ClientBase, "query">;

export async function readSlots(
  on: Queries,
  names: readonly string[],
): Promise<ReadonlyMap<string, SlotFacts>> {
  const { rows } = await on.query<SlotFacts & { keptBytes: bigint | null }>(
    `select slot_name::text as slot, database::text, plugin::text, active,
       wal_status as "walStatus", confirmed_flush_lsn::text as "confirmedLsn",
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint as "keptBytes"
     from pg_replication_slots where slot_name = any($1)`,
    [names],
  );
  return new Map(rows.map((row) => [row.slot, { ...row, keptBytes: Number(row.keptBytes ?? 0) }]));
}

/** What a connector's slot was when it was looked at. */
export type FoundSlot = "there" | "made" | "missing";

/**
 * Makes the publication as the connector wants it, and its slot where that comes first: whatever
 * commits afterwards is kept for the connector, however late it starts.
 *
 * @throws FatalError `wal-level`, `slot-foreign`, `slot-lost`
 */
export async function prepareSource(on: Queries, connector: DebeziumConnector): Promise<FoundSlot> {
  await requireLogicalWal(on);
  await ensurePublication(on, connector);
  const found = (await readSlots(on, [connector.slot])).get(connector.slot);
  if (found !== undefined) {
    await assertUsable(on, found);
    return "there";
  }
  if (connector.slotIsMade === "with") return "missing";
  await on.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [connector.slot]);
  return "made";
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

async function assertUsable(on: Queries, slot: SlotFacts): Promise<void> {
  const { rows } = await on.query<{ here: string }>("select current_database()::text as here");
  const here = rows[0]?.here;
  if (slot.plugin !== "pgoutput" || slot.database !== here) {
    throw new FatalError(
      "slot-foreign",
      `Replication slot ${slot.slot} belongs to database ${slot.database} with plugin ` +
        `${slot.plugin}, not to ${here} with pgoutput.`,
      "Name other connectors, or drop that slot.",
    );
  }
  if (slot.walStatus === "lost") {
    throw new FatalError(
      "slot-lost",
      `The server has let go of the write-ahead log that replication slot ${slot.slot} needed.`,
      `Drop it (select pg_drop_replication_slot('${slot.slot}')) and apply the connectors again; ` +
        "then republish what processors and projections say is missing.",
    );
  }
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
