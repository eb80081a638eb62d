import type { Pool } from "pg";

import { readSlots } from "../../connectors/debezium/index.ts";
import type { CaptureKind } from "../servers.ts";
import { missingMigrations } from "../schema-version.ts";
import { debeziumSlots } from "../system/debezium.ts";
import type { Definitions } from "../system/definitions.ts";
import { allMigrations } from "../system/stores.ts";
import type { Findings } from "./finding.ts";

export interface PostgresPart {
  readonly pool: Pool;
  readonly capture: CaptureKind;
  readonly definitions: Definitions;
}

const versionMin = 15;

/** WAL that a slot keeps, beyond which somebody should look. */
const keptBytesMax = 1024 * 1024 * 1024;

interface ServerRow {
  readonly version: number;
  readonly wal_level: string;
  readonly slots_max: number;
  readonly slots: number;
  readonly senders_max: number;
  readonly keep_mb: string;
  readonly may_replicate: boolean;
  readonly may_create: boolean;
}

const serverQuery = `
  select current_setting('server_version_num')::int as version,
    current_setting('wal_level') as wal_level,
    current_setting('max_replication_slots')::int as slots_max,
    (select count(*)::int from pg_replication_slots) as slots,
    current_setting('max_wal_senders')::int as senders_max,
    current_setting('max_slot_wal_keep_size') as keep_mb,
    (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate,
    has_database_privilege(current_database(), 'create') as may_create`;

/** The database: version, permissions, what capture needs, the schema, slots and publications. */
export async function lookAtPostgres(found: Findings, part: PostgresPart): Promise<void> {
  const { rows } = await part.pool.query<ServerRow>(serverQuery);
  const server = rows[0] as ServerRow;
  lookAtServer(found, server);
  lookAtReplication(found, server);
  await lookAtSchema(found, part);
  await lookAtSlots(found, part);
}

function lookAtServer(found: Findings, { version, may_replicate, may_create }: ServerRow): void {
  const major = Math.floor(version / 10_000);
  if (major >= versionMin) found.ok(`version ${major}`);
  else found.fault(`version ${major}`, `Use Postgres ${versionMin} or later.`);
  if (may_replicate) found.ok("the role may replicate");
  else {
    found.fault("the role may not replicate", "Run alter role ... replication as a superuser.");
  }
  if (!may_create) {
    found.fault(
      "the role may not create schemas in the database",
      "Run grant create on database ... to ... as its owner.",
    );
  }
}

function lookAtReplication(found: Findings, server: ServerRow): void {
  if (server.wal_level === "logical") found.ok("wal_level = logical");
  else {
    found.fault(
      `wal_level = ${server.wal_level}`,
      "Run alter system set wal_level = logical and restart the server.",
    );
  }
  for (const [name, most, used] of [
    ["max_replication_slots", server.slots_max, server.slots],
    ["max_wal_senders", server.senders_max, server.slots],
  ] as const) {
    if (used < most) found.ok(`${name} = ${most}, ${used} slots in use`);
    else {
      found.warning(
        `${name} = ${most}, all in use`,
        `Raise ${name} before a slot is added, and restart the server.`,
      );
    }
  }
  if (server.keep_mb === "-1") {
    found.warning(
      "max_slot_wal_keep_size = -1: a capture that stands still fills the disk",
      "Set it to what the disk can spare; a slot that is cut off then is told, and mended.",
    );
  }
}

async function lookAtSchema(found: Findings, { pool, definitions }: PostgresPart): Promise<void> {
  const missing = await missingMigrations(pool, allMigrations(definitions.migrations));
  if (missing.length === 0) found.ok("the schema is up to date");
  else {
    found.fault(
      `the schema lacks ${missing.length} steps, ${missing[0]} first`,
      "Start refold: it brings the schema up to date.",
    );
  }
}

async function lookAtSlots(found: Findings, part: PostgresPart): Promise<void> {
  const { pool, capture, definitions } = part;
  const names = capture === "debezium" ? debeziumSlots(definitions) : [definitions.slotName];
  const remedy =
    capture === "debezium" ? "Run refold connectors apply." : "Start refold: it makes the slot.";
  const slots = await readSlots(pool, names);
  const { rows } = await pool.query<{ name: string }>(
    "select pubname::text as name from pg_publication where pubname = any($1)",
    [names],
  );
  const publications = new Set(rows.map(({ name }) => name));
  for (const name of names) {
    const slot = slots.get(name);
    if (!publications.has(name)) found.fault(`there is no publication ${name}`, remedy);
    if (slot === undefined) found.fault(`there is no replication slot ${name}`, remedy);
    else if (slot.walStatus === "lost") {
      const command = capture === "debezium" ? "connectors apply" : "capture repair";
      found.fault(
        `replication slot ${name} is lost`,
        `Run refold ${command}: it makes the slot anew and publishes what the log lacks.`,
      );
    } else if (slot.keptBytes > keptBytesMax) {
      found.warning(
        `replication slot ${name} keeps ${slot.keptBytes} bytes of write-ahead log`,
        "See why its reader is behind: refold status, refold connectors status.",
      );
    } else {
      const read = slot.active ? "is read" : "is not read now";
      found.ok(`replication slot ${name} ${read}, ${slot.keptBytes} bytes kept`);
    }
  }
}
