/**
 * Capture into Kafka: 50,000 rows of one COPY, from its commit to the last row's record in the topic,
 * by the embedded capture and by Debezium, one after the other on the same rows, each warmed up by
 * COPYs before. Checked before a figure is printed: both topics have a record of every row, and of no
 * other; the embedded capture's have each once.
 *
 * Servers are those of KAFKA_BROKERS, CONNECT_URL and SCHEMA_REGISTRY_URL, where topics and connectors
 * are made and removed; without all of them a stack is started for it. Postgres is its own.
 */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { Kafka, logLevel } from "kafkajs";
import type { Pool } from "pg";

import { systemClock } from "../bin/system-clock.ts";
import {
  EmbeddedCapture,
  LogCaptureSink,
  migrations as captureMigrations,
  PostgresCaptureSink,
} from "../connectors/capture/index.ts";
import {
  applyConnectors,
  avroConverters,
  catalogueConnector,
  ConnectClient,
  type DebeziumConnector,
  type Recapture,
} from "../connectors/debezium/index.ts";
import { KafkaCluster, KafkaRecordLog } from "../connectors/kafka/index.ts";
import { makePool, migrate } from "../connectors/postgres/index.ts";
import { migrations as logMigrations } from "../connectors/postgres/record-log/index.ts";
import { ConfluentRegistry } from "../connectors/registry/index.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { lsn, offset } from "../engine/position.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { stackServers } from "./_stack.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "50000" },
    // Debezium takes ten times as long.
    embedded: { type: "boolean", default: false },
  },
});
const rows = Number(values.rows);
const warmUps = 3;
const partitions = 10;
const targetPerSecond = 50_000;
const name = `bench${randomBytes(5).toString("hex")}`;
const prefixes = { embedded: `${name}e`, debezium: `${name}d` };
const topicOf = (prefix: string) => `${prefix}.public.narrow`;
const topics = Object.values(prefixes).flatMap((prefix) => [
  topicOf(prefix),
  `${prefix}.transaction`,
]);

const createTable = `
  create table public.narrow (id int primary key, code text not null, n int not null,
    at timestamptz not null)`;

interface Bench {
  /** Of Postgres. */
  readonly url: string;
  readonly pool: Pool;
  readonly log: RecordLog;
  readonly connect: ConnectClient;
  readonly registryUrl: string;
}

interface Measured {
  readonly perSecond: number;
  /** Processor time of this process, which asks now and then how far the topic is. */
  readonly cpuUsPerRow: number;
}

const told = (perSecond: number): string => Math.round(perSecond).toLocaleString("en");

const apply = ({ connect, pool }: Bench, connector: DebeziumConnector) =>
  applyConnectors({
    connect,
    pool,
    clock: systemClock,
    connectors: [connector],
    timeoutMs: 60_000,
    signal: new AbortController().signal,
    recapture: () => emptySlot(pool, connector.slot),
  });

/** There are no rows yet that a new slot could miss. */
async function emptySlot(pool: Pool, slot: string): Promise<Recapture> {
  const { rows } = await pool.query<{ at: string }>(
    `select (lsn - '0/0'::pg_lsn)::text as at
     from pg_create_logical_replication_slot($1, 'pgoutput')`,
    [slot],
  );
  return { lsn: lsn(BigInt(rows[0]?.at ?? 0)), events: 0, rows: 0, removed: 0 };
}

await using servers = await stackServers("capture-kafka", [
  "KAFKA_BROKERS",
  "CONNECT_URL",
  "SCHEMA_REGISTRY_URL",
]);
if (servers !== undefined) await run(servers.settings);

async function run(settings: Readonly<Record<string, string>>): Promise<void> {
  const { KAFKA_BROKERS = "", CONNECT_URL = "", SCHEMA_REGISTRY_URL = "" } = settings;
  const brokers = KAFKA_BROKERS.split(",");
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ folder });
  const pool = makePool({ url: postgres.url, name: "bench" });
  await using cluster = new KafkaCluster({ brokers });
  await using log = new KafkaRecordLog({ cluster });
  const connect = new ConnectClient({ url: CONNECT_URL });
  try {
    await migrate(pool, [...logMigrations, ...captureMigrations]);
    await pool.query(createTable);
    for (const topic of topics) await log.ensureTopic({ name: topic, partitions });
    await compare({ url: postgres.url, pool, log, connect, registryUrl: SCHEMA_REGISTRY_URL });
  } finally {
    await removeTopics(brokers);
    await pool.end();
    await postgres.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(bench: Bench): Promise<void> {
  const embedded = await measureEmbedded(bench);
  const seen = await keysIn(bench.log, topicOf(prefixes.embedded));
  assert.equal(seen.keys.size, rows * (warmUps + 1), "rows that the embedded capture published");
  assert.equal(seen.records, seen.keys.size, "records of the embedded capture");
  const { perSecond, cpuUsPerRow } = embedded;
  console.log(
    `embedded capture into Kafka: ${told(perSecond)} rows/s of one COPY of ${rows} rows ` +
      `(target: ${told(targetPerSecond)}), ${cpuUsPerRow.toFixed(1)} µs of Node a row`,
  );
  if (values.embedded) return;
  const debezium = await measureDebezium(bench);
  const others = await keysIn(bench.log, topicOf(prefixes.debezium));
  assert.deepEqual(others.keys, seen.keys, "rows that Debezium published");
  console.log(`Debezium into Kafka: ${told(debezium.perSecond)} rows/s on the same rows`);
}

async function measureEmbedded(bench: Bench): Promise<Measured> {
  const { url, pool, log, registryUrl } = bench;
  const slot = prefixes.embedded;
  await using capture = new EmbeddedCapture({
    url,
    sink: new LogCaptureSink({ log, positions: new PostgresCaptureSink({ pool, slot }) }),
    registry: new ConfluentRegistry({ url: registryUrl }),
    metrics: noMetrics,
    clock: systemClock,
    random: { next: Math.random, id: randomUUID },
    tables: [{ name: "public.narrow", partitions }],
    outboxTables: [],
    prefix: prefixes.embedded,
    slot,
    publication: slot,
    stream: { transactions: "of-changes", partitions },
  });
  await capture.start(new AbortController().signal);
  // A capture that halts ends the wait for what it won't publish.
  return await Promise.race([
    measureCopies(bench, topicOf(prefixes.embedded)),
    capture.done.then(() => Promise.reject(new Error("The capture ended by itself."))),
  ]);
}

async function measureDebezium(bench: Bench): Promise<Measured> {
  const { connect, pool, registryUrl, url } = bench;
  await pool.query("alter publication $ drop table public.narrow".replace("$", prefixes.embedded));
  await pool.query("truncate public.narrow");
  const plugins = new Set((await connect.plugins()).keys());
  const connector = catalogueConnector(
    { prefix: prefixes.debezium, databaseUrl: url, tables: ["public.narrow"], outboxTables: [] },
    avroConverters(registryUrl, plugins),
  );
  try {
    await apply(bench, connector);
    return await measureCopies(bench, topicOf(prefixes.debezium));
  } finally {
    await connect.delete(connector.name);
  }
}

/** The clock runs from the answer to the last COPY until the topic has all rows. */
async function measureCopies(bench: Bench, topic: string): Promise<Measured> {
  for (let round = 0; round < warmUps; round += 1) {
    await copyRows(bench.pool, round);
    await untilEnd(bench.log, topic, rows * (round + 1));
  }
  await copyRows(bench.pool, warmUps);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await untilEnd(bench.log, topic, rows * (warmUps + 1));
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: rows / seconds, cpuUsPerRow: (user + system) / rows };
}

/** COPY of a program's output on the server, so that no client takes part: all rows are equal in size. */
async function copyRows(pool: Pool, round: number): Promise<void> {
  const first = round * rows + 1;
  const program =
    `seq ${first} ${first + rows - 1} | ` +
    `awk '{ printf "%d,MOD-%d,%d,2024-02-29T12:00:00Z\\n", $1, $1 % 2000, $1 % 500 }'`;
  await pool.query(`copy public.narrow from program $q$${program}$q$ with (format csv)`);
}

async function untilEnd(log: RecordLog, topic: string, count: number): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const bounds = await log.bounds(topic);
    const records = bounds.reduce((sum, { end }) => sum + Number(end), 0);
    if (records >= count) return;
    if (performance.now() > deadlineMs) throw new Error(`${topic} has ${records} records only.`);
    await systemClock.sleep(10);
  }
}

/** Keys without the ids of their schema, which depend on who registered it. */
async function keysIn(log: RecordLog, topic: string) {
  const keys = new Set<string>();
  let records = 0;
  const from = new Map(Array.from({ length: partitions }, (_, at) => [at, offset(0)]));
  const { signal } = new AbortController();
  const cursor = new RecordCursor();
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) {
        keys.add(cursor.bytes.toString("latin1", cursor.keyStart + 5, cursor.keyEnd));
        records += 1;
      }
    }
  }
  return { keys, records };
}

/** The brokers stay, and so would its bytes. */
async function removeTopics(brokers: readonly string[]): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const own = (await admin.listTopics()).filter((topic) => topic.includes(name));
  await admin.deleteTopics({ topics: own });
  await admin.disconnect();
}
