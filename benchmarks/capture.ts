import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { build, type Histogram } from "hdr-histogram-js";
import { Client, type Pool } from "pg";

import { systemClock } from "../bin/system-clock.ts";
import {
  EmbeddedCapture,
  migrations as captureMigrations,
  PostgresCaptureSink,
} from "../connectors/capture/index.ts";
import { makePool, migrate, PostgresRecordLog } from "../connectors/postgres/index.ts";
import { migrations as logMigrations } from "../connectors/postgres/record-log/index.ts";
import { header } from "../engine/envelope.ts";
import { offset } from "../engine/position.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import { RecordCursor } from "../engine/record-batch/index.ts";
import { startEmbeddedPostgres } from "../stack/postgres/embedded-postgres.ts";
import { ListedSchemas } from "../test/capture/memory-registry.ts";
import { createOutbox } from "../test/capture/outbox-table.ts";
import { tell, tellChecked, tellLatencies } from "./harness/tell.ts";

const partitions = 10;
const tableTopic = "refold.public.narrow";
const outboxTopic = "events";

interface Bench {
  readonly url: string;
  readonly pool: Pool;
  /** Of the capture and the reader: neither may wait behind the load's statements. */
  readonly sinkPool: Pool;
  readonly log: PostgresRecordLog;
  readonly registry: ListedSchemas;
  /** Whether transactions that change the table are told on a topic of their own. */
  readonly transactions: "of-changes" | "in-envelopes";
}

function makeCapture(bench: Bench): EmbeddedCapture {
  return new EmbeddedCapture({
    url: bench.url,
    sink: new PostgresCaptureSink({ pool: bench.sinkPool }),
    registry: bench.registry,
    metrics: noMetrics,
    clock: systemClock,
    random: { next: Math.random, id: randomUUID },
    tables: [{ name: "public.narrow", partitions }],
    outboxTables: ["public.outbox"],
    stream: { transactions: bench.transactions, partitions },
  });
}

async function endOf(pool: Pool, topic: string): Promise<number> {
  const { rows } = await pool.query<{ n: bigint }>(
    `select coalesce(sum(end_offset), 0)::int8 as n from refold.log_partitions
     join refold.log_topics using (topic_number) where name = $1`,
    [topic],
  );
  return Number(rows[0]?.n ?? 0);
}

async function untilEnd(bench: Bench, topic: string, count: number): Promise<void> {
  while ((await endOf(bench.pool, topic)) < count) {
    await systemClock.sleep(5);
  }
}

/** Rows are in the WAL before the capture starts; the clock runs until all are in the log. */
async function backlog(bench: Bench, topic: string, load: Load): Promise<Backlog> {
  const before = await endOf(bench.pool, topic);
  await load.write(bench.pool);
  const began = performance.now();
  const cpu = process.cpuUsage();
  await using capture = makeCapture(bench);
  await capture.start(new AbortController().signal);
  await untilEnd(bench, topic, before + load.rows);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await checkDistinct(bench, topic, { from: before, rows: load.rows });
  return { perSecond: load.rows / seconds, cpuUsPerRow: (user + system) / load.rows };
}

interface Backlog {
  readonly perSecond: number;
  /** Processor time of this process, which captures, and asks now and then how far it is. */
  readonly cpuUsPerRow: number;
}

interface Load {
  readonly rows: number;
  write(pool: Pool): Promise<void>;
}

const rowsPerTransaction = 100;

function tableLoad(rows: number): Load {
  return {
    rows,
    write: (pool) =>
      inTransactions(pool, rows, (from, to) => ({
        text: `insert into narrow select i, 'MOD-' || i % 2000, i % 500, now()
               from generate_series($1::int, $2::int) i`,
        values: [from, to],
      })),
  };
}

function outboxLoad(rows: number, valueBytes: number, after = 0): Load {
  return {
    rows,
    write: (pool) =>
      inTransactions(pool, rows, (from, to) => ({
        text: outboxInsert,
        values: [after + from, after + to, Buffer.alloc(valueBytes, 7)],
      })),
  };
}

const outboxInsert = `
  insert into outbox (position, topic, partition, sequence, key, recorded_at, value, ce_sequence,
    ce_id, ce_subject, ce_position, ce_correlationid)
  select i, '${outboxTopic}', i % ${partitions}, i, 'MOD-' || i % 2000, now() at time zone 'UTC',
    $3::bytea, i::text, gen_random_uuid()::text, 'MOD-' || i % 2000, i::text,
    gen_random_uuid()::text
  from generate_series($1::int, $2::int) i`;

async function inTransactions(
  pool: Pool,
  rows: number,
  statement: (from: number, to: number) => { text: string; values: unknown[] },
): Promise<void> {
  const client = await pool.connect();
  await client.query("set synchronous_commit = off");
  for (let from = 1; from <= rows; from += rowsPerTransaction) {
    await client.query(statement(from, Math.min(rows, from + rowsPerTransaction - 1)));
  }
  client.release(true);
}

/** Every record is there once: as many distinct keys of the source as rows were written. */
async function checkDistinct(
  bench: Bench,
  topic: string,
  expected: { readonly from: number; readonly rows: number },
): Promise<void> {
  const seen = new Set<string>();
  let records = 0;
  await readAll(bench, topic, (cursor) => {
    records += 1;
    const id = cursor.headerText(header.sequence);
    seen.add(id ?? cursor.bytes.toString("latin1", cursor.keyStart, cursor.keyEnd));
  });
  const all = expected.from + expected.rows;
  if (records !== all || seen.size !== all) {
    throw new Error(`${topic} has ${records} records of ${seen.size} rows, not ${all}.`);
  }
}

async function readAll(
  bench: Bench,
  topic: string,
  each: (cursor: RecordCursor) => void,
): Promise<void> {
  const from = new Map(Array.from({ length: partitions }, (_, at) => [at, offset(0)]));
  const signal = new AbortController().signal;
  const cursor = new RecordCursor();
  for await (const fetch of bench.log.read({ topic, from, until: "end", signal })) {
    for (const { bytes } of fetch.partitions) {
      cursor.reset(bytes, 0);
      while (cursor.next()) each(cursor);
    }
  }
}

/** Microseconds from a commit's answer to the record in a waiting reader's hands, at a steady rate. */
async function latencies(
  bench: Bench,
  rate: { perSecond: number; rows: number; after: number },
): Promise<Histogram> {
  const { perSecond, rows, after } = rate;
  await using capture = makeCapture(bench);
  await capture.start(new AbortController().signal);
  const committed = new Float64Array(rows + 1);
  const arrived = new Float64Array(rows + 1);
  const stop = new AbortController();
  let left = rows;
  const reading = readLive(bench, stop.signal, (sequence) => {
    arrived[sequence - after] = performance.now();
    left -= 1;
    if (left === 0) stop.abort();
  });
  const write = async (row: number): Promise<void> => {
    await bench.pool.query(outboxInsert, [after + row, after + row, Buffer.alloc(100, 7)]);
    committed[row] = performance.now();
  };
  // A stream that begins reads the slot's whole WAL again: the first row only says that it has.
  await write(1);
  while (arrived[1] === 0) await systemClock.sleep(5);
  const began = performance.now();
  const writes: Promise<void>[] = [];
  for (let row = 2; row <= rows; row += 1) {
    const wait = began + (row * 1000) / perSecond - performance.now();
    if (wait > 1) await systemClock.sleep(wait);
    writes.push(write(row));
  }
  await Promise.all(writes);
  await Promise.race([reading, systemClock.sleep(30_000)]);
  stop.abort();
  const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
  for (let row = 2; row <= rows; row += 1) {
    const atMs = arrived[row] as number;
    if (!atMs) throw new Error(`Row ${row} never reached the log.`);
    histogram.recordValue(Math.round(Math.max(0, atMs - (committed[row] as number)) * 1_000));
  }
  return histogram;
}

async function readLive(
  bench: Bench,
  signal: AbortSignal,
  each: (sequence: number) => void,
): Promise<void> {
  const bounds = await bench.log.bounds(outboxTopic);
  const from = new Map(bounds.map(({ partition, end }) => [partition, end]));
  const cursor = new RecordCursor();
  const topic = outboxTopic;
  for await (const fetch of bench.log.read({ topic, from, until: "forever", signal })) {
    for (const { partition, bytes } of fetch.partitions) {
      cursor.reset(bytes, from.get(partition) ?? 0n);
      while (cursor.next()) each(cursor.headerNumber(header.sequence));
    }
  }
}

async function run(rows: number, transactions: Bench["transactions"]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "refold-bench-"));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres({ folder });
  const pool = makePool({ url: server.url, name: "bench", statementTimeoutMs: 120_000 });
  const sinkPool = makePool({ url: server.url, name: "bench sink", connectionsMax: 4 });
  try {
    await migrate(pool, [...logMigrations, ...captureMigrations]);
    await setUp(server.url);
    const log = new PostgresRecordLog({ pool: sinkPool });
    const registry = new ListedSchemas();
    const bench = { url: server.url, pool, sinkPool, log, registry, transactions };
    await log.ensureTopic({ name: "refold.transaction", partitions });
    await log.ensureTopic({ name: tableTopic, partitions });
    await log.ensureTopic({ name: outboxTopic, partitions });
    // Makes the slot, so that what follows is in the WAL behind it.
    const first = makeCapture(bench);
    await first.start(new AbortController().signal);
    await first[Symbol.asyncDispose]();
    const narrow = await backlog(bench, tableTopic, tableLoad(rows));
    const outbox = await backlog(bench, outboxTopic, outboxLoad(rows, 100));
    const live = await latencies(bench, { perSecond: 1_000, rows: 3_000, after: rows });
    tellChecked("every row is in the log once, and reached the waiting reader");
    tellBacklog("narrow table in Avro", narrow);
    tellBacklog("outbox rows with values of 100 bytes", outbox);
    const name = "commit to reader at 1,000 rows/s";
    tellLatencies({ name, histogram: live, unitsPerMs: 1_000 });
    await log[Symbol.asyncDispose]();
  } finally {
    await pool.end();
    await sinkPool.end();
    await server.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  }
}

function tellBacklog(name: string, { perSecond, cpuUsPerRow }: Backlog): void {
  tell({ name, unit: "rows/s", value: perSecond, better: "more", role: "measured" });
  const of = { unit: "µs/row", better: "less", role: "measured" } as const;
  tell({ ...of, name: `${name}, processor time of Node`, value: cpuUsPerRow });
}

async function setUp(url: string): Promise<void> {
  const client = new Client({ connectionString: url, options: "-c search_path=public" });
  await client.connect();
  await client.query(
    `create table narrow (id int primary key, code text not null, n int not null,
       at timestamptz not null)`,
  );
  await client.query(createOutbox);
  await client.query("alter role current_user set search_path = public");
  await client.end();
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "200000" },
    untold: { type: "boolean", default: false },
  },
});
await run(Number(values.rows), values.untold ? "in-envelopes" : "of-changes");
