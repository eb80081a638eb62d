import type { ClientBase } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { CaptureSettings } from "../options.ts";
import { parseTableName, quoteName, quoteTable, type TableName } from "../tables/names.ts";
import type { PublicationMode } from "../tables/selection.ts";

/** Refuses a server whose WAL doesn't carry what logical decoding needs. */
export async function checkWalLevel(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ wal_level: string }>("show wal_level");
  const level = rows[0]?.wal_level;
  if (level === "logical") return;
  throw new FatalError(
    "wal-level",
    `The server runs with wal_level = ${level}, and capture reads the WAL logically.`,
    "Run alter system set wal_level = logical and restart the server.",
  );
}

/** A publication as the capture wants it. */
export interface PublicationPlan {
  readonly name: string;
  readonly mode: PublicationMode;
  readonly tables: readonly TableName[];
  /** Whether a partitioned table's changes come as its own, or as each partition's. */
  readonly partitionsAs: "partitions" | "root";
  /** Operations that it publishes (`insert`, `update`, ...); undefined: all. */
  readonly operations: readonly string[] | undefined;
}

const operationNames = { c: "insert", u: "update", d: "delete", t: "truncate" } as const;

export function publicationPlan(settings: CaptureSettings): PublicationPlan {
  const { publication: name, publicationMode: mode, stream, tables, outboxTables } = settings;
  const letters = Object.keys(operationNames) as (keyof typeof operationNames)[];
  const left = letters.filter((letter) => !stream.skipped.has(letter));
  const isSome = stream.publishes === "unskipped" && left.length < letters.length;
  return {
    name,
    mode,
    tables: [...outboxTables, ...tables.map((table) => table.name)].map(parseTableName),
    partitionsAs: stream.partitionsAs,
    operations: isSome ? left.map((letter) => operationNames[letter]) : undefined,
  };
}

/**
 * Makes the publication where there is none; under `filtered`, brings the tables of one that is
 * there to those that are captured. What it says beside its tables (operations, row filters, column
 * lists) stands as it is.
 *
 * @throws FatalError `publication-missing` under `disabled`; `publication-empty` where no table is
 * captured.
 */
export async function ensurePublication(client: ClientBase, plan: PublicationPlan): Promise<void> {
  const found = await client.query<{ all: boolean }>(
    "select puballtables as all from pg_publication where pubname = $1",
    [plan.name],
  );
  const [publication] = found.rows;
  if (!publication) await client.query(creation(plan));
  else if (plan.mode === "filtered" && !publication.all) await bringTables(client, plan);
}

function creation(plan: PublicationPlan): string {
  if (plan.mode === "disabled") throw publicationMissing(plan.name);
  const tables = {
    no_tables: () => "",
    all_tables: () => " for all tables",
    filtered: () => ` for table ${tableList(plan)}`,
  };
  return `create publication ${quoteName(plan.name)}${tables[plan.mode]()}${settings(plan)}`;
}

const publicationMissing = (name: string): FatalError =>
  new FatalError(
    "publication-missing",
    `There is no publication ${name}, and this capture is told not to make one.`,
    "Create the publication, or choose another publication.autocreate.mode.",
  );

function tableList({ name, tables }: PublicationPlan): string {
  if (tables.length > 0) return tables.map(quoteTable).join(", ");
  throw new FatalError(
    "publication-empty",
    `No table of the database is selected, so the publication ${name} would have none.`,
    "Check the lists of schemas and tables to include and to exclude.",
  );
}

function settings({ partitionsAs, operations }: PublicationPlan): string {
  const told: string[] = [];
  if (partitionsAs === "root") told.push("publish_via_partition_root = true");
  if (operations) told.push(`publish = '${operations.join(", ")}'`);
  return told.length === 0 ? "" : ` with (${told.join(", ")})`;
}

async function bringTables(client: ClientBase, plan: PublicationPlan): Promise<void> {
  const name = quoteName(plan.name);
  const has = await publishedTables(client, plan.name);
  const wanted = new Set(plan.tables.map(quoteTable));
  const missing = [...wanted].filter((table) => !has.has(table));
  if (missing.length > 0) {
    await client.query(`alter publication ${name} add table ${missing.join(", ")}`);
  }
  const surplus = [...has].filter((table) => !wanted.has(table));
  if (surplus.length > 0) {
    await client.query(`alter publication ${name} drop table ${surplus.join(", ")}`);
  }
}

async function publishedTables(client: ClientBase, publication: string): Promise<Set<string>> {
  const { rows } = await client.query<TableName>(
    `select n.nspname::text as schema, c.relname::text as table
     from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
     join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace
     where p.pubname = $1`,
    [publication],
  );
  return new Set(rows.map(quoteTable));
}
