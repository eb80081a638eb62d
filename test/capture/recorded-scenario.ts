import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Client, DatabaseError } from "pg";
import { onTestFinished } from "vitest";

import { projectRoot } from "../support/source-tree.ts";
import { CapturedDatabase, onPublic, type ReadRecord } from "./captured-database.ts";
import { copyIn } from "../parity/copy-in.ts";

/** A scenario as it was recorded from Debezium's Postgres connector. */
export interface Scenario {
  readonly name: string;
  readonly ddl: readonly string[];
  readonly dml: readonly (readonly string[])[];
  readonly schemas: Readonly<Record<string, object>>;
  readonly events: readonly RecordedEvent[];
}

export interface RecordedEvent {
  readonly topic: string;
  readonly key: unknown;
  readonly value: RecordedValue | null;
  readonly keySchema?: number;
  readonly valueSchema?: number;
}

export interface RecordedValue {
  readonly op: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly source: Readonly<Record<string, unknown>>;
  readonly transaction: Readonly<Record<string, unknown>> | null;
}

const folder = join(projectRoot, "..", "shared", "vectors", "debezium");

export const hasRecordings = existsSync(folder);

export async function readScenario(name: string): Promise<Scenario> {
  return JSON.parse(await readFile(join(folder, `${name}.json`), "utf8")) as Scenario;
}

/** What a scenario's records come to, without what differs from run to run. */
export interface Told {
  readonly topic: string;
  readonly key: unknown;
  readonly keySchema: unknown;
  readonly valueSchema: unknown;
  readonly value: unknown;
}

/** Runs a scenario under our capture and gives what it published to the tables' topics. */
export async function runScenario(scenario: Scenario): Promise<Told[]> {
  const database = await CapturedDatabase.make();
  await database.sql(...scenario.ddl);
  const { rows } = await database.pool.query<{ name: string }>(
    `select 'public.' || c.relname as name from pg_class c
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
     order by 1`,
  );
  const tables = rows.map((row) => row.name);
  const capture = await database.capture(tables, { prefix: scenario.name });
  onTestFinished(() => capture[Symbol.asyncDispose]());
  await capture.start(new AbortController().signal);
  await runStatements(database.url, scenario.dml.flat());
  const expected = tableEvents(scenario);
  const records = await database.untilRecords(expected.length);
  return byTopic(records.map((record) => toldRecord(database, record)));
}

/** Events of the tables' topics, without those on transactions. */
export function tableEvents(scenario: Scenario): RecordedEvent[] {
  return scenario.events.filter((event) => !event.topic.endsWith(".transaction"));
}

/** The recorded events in the same form. */
export function toldEvents(scenario: Scenario): Told[] {
  const schema = (number: number | undefined): unknown =>
    number === undefined ? null : JSON.stringify(scenario.schemas[number]);
  const told = tableEvents(scenario).map((event) => ({
    topic: event.topic,
    key: event.key,
    keySchema: event.key === null ? null : schema(event.keySchema),
    valueSchema: event.value === null ? null : schema(event.valueSchema),
    value: comparable(event.value),
  }));
  return byTopic(told);
}

/** A log keeps no order between topics. */
function byTopic(told: readonly Told[]): Told[] {
  return told.toSorted((one, other) => (one.topic < other.topic ? -1 : +(one.topic > other.topic)));
}

/** What no two runs have alike. */
const unlike = {
  ts_ms: undefined,
  ts_us: undefined,
  ts_ns: undefined,
  version: undefined,
  txId: undefined,
  lsn: undefined,
  db: undefined,
};

function comparable(value: RecordedValue | null): unknown {
  if (value === null) return null;
  const { source, transaction } = value;
  const sequence = JSON.parse(String(source["sequence"])) as (string | null)[];
  return {
    ...value,
    ...unlike,
    source: {
      ...source,
      ...unlike,
      sequence: [sequence[0] === null ? "none" : "some", sequence[1] === String(source["lsn"])],
    },
    transaction: transaction && {
      ...transaction,
      id: transaction["id"] === `${String(source["txId"])}:${String(source["lsn"])}`,
    },
  };
}

function toldRecord(database: CapturedDatabase, record: ReadRecord): Told {
  const schemaOf = (bytes: Buffer | null): unknown => {
    const id = bytes?.readUInt32BE(1);
    const found = database.registry.schemas.find((one) => one.id === id);
    return found ? found.schema : null;
  };
  return {
    topic: record.topic,
    key: database.decode(record.key),
    keySchema: schemaOf(record.key),
    valueSchema: schemaOf(record.value),
    value: comparable(database.decode(record.value) as RecordedValue | null),
  };
}

/** Runs statements as a scenario spells them: two connections, COPY with its data, restarts. */
async function runStatements(url: string, statements: readonly string[]): Promise<void> {
  const client = (): Client => new Client({ connectionString: url, options: onPublic });
  const clients = [client(), client()];
  for (const client of clients) await client.connect();
  try {
    for (const statement of statements) {
      if (statement.startsWith("@")) continue;
      const client = statement.startsWith("/*s2*/") ? clients[1] : clients[0];
      // Some scenarios are about statements that the server refuses.
      if (client) await runStatement(client, statement).catch(assertRefused);
    }
  } finally {
    for (const client of clients) await client.end();
  }
}

async function runStatement(client: Client, statement: string): Promise<void> {
  if (!/^copy /i.test(statement)) {
    await client.query(statement);
    return;
  }
  const end = statement.indexOf("\n");
  await copyIn(client, statement.slice(0, end), statement.slice(end + 1));
}

function assertRefused(error: unknown): void {
  if (!(error instanceof DatabaseError)) throw error;
}
