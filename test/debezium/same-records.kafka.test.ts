import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readConnectors } from "../../bin/connectors/report.ts";
import { recaptureFor } from "../../bin/connectors/recapture.ts";
import { captureOptions, transactionTopic } from "../../bin/system/capture.ts";
import { application } from "../../bin/system/definitions.ts";
import { openStores, type Stores } from "../../bin/system/stores.ts";
import { systemClock } from "../../bin/system-clock.ts";
import { EmbeddedCapture } from "../../connectors/capture/index.ts";
import {
  applyConnectors,
  avroConverters,
  catalogueConnector,
  ConnectClient,
  eventsConnector,
  readSlots,
  type DebeziumConnector,
} from "../../connectors/debezium/index.ts";
import { KafkaCluster, KafkaRecordLog } from "../../connectors/kafka/index.ts";
import { avroCodec, ConfluentRegistry } from "../../connectors/registry/index.ts";
import { framedSchemaId, type ChangeReader, type RowChange } from "../../engine/ports/codec.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RecordLog, RecordToAppend } from "../../engine/ports/record-log.ts";
import { offset } from "../../engine/position.ts";
import { RecordCursor } from "../../engine/record-batch/index.ts";
import { catalogueModules } from "../../schemas/topics.ts";
import { newDatabase } from "../support/database.ts";
import { ownName, productionStack } from "../support/production-stack.ts";

const name = ownName();
const partitions = 4;
const eventTopic = `${name}-events-topic`;
const changeTopic = { ...catalogueModules, name: `${name}.catalogue.modules`, partitions };

/** All that both captures read and write, on one database. */
async function openBoth() {
  const { kafkaBrokers, connectUrl, registryUrl } = productionStack();
  const database = await newDatabase();
  const stores = await openStores({
    url: database.url,
    migrations: application.migrations,
    name: "test",
    metrics: noMetrics,
    schema: "migrate",
    others: "none",
    report: () => undefined,
  });
  const cluster = new KafkaCluster({ brokers: kafkaBrokers.split(",") });
  const kafka = new KafkaRecordLog({ cluster });
  const connect = new ConnectClient({ url: connectUrl });
  const plugins = new Set((await connect.plugins()).keys());
  const source = {
    prefix: name,
    databaseUrl: database.url,
    tables: ["catalogue.modules"],
    outboxTables: ["refold.events", "refold.notices"],
  };
  const connectors = [
    eventsConnector(source),
    catalogueConnector(source, avroConverters(registryUrl, plugins)),
  ];
  const registry = new ConfluentRegistry({ url: registryUrl });
  const close = async (): Promise<void> => {
    await removeConnectors(connect, stores.pool, connectors);
    await stores[Symbol.asyncDispose]();
    await kafka[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await database.drop();
  };
  return { database, stores, kafka, connect, connectors, registry, close };
}

async function removeConnectors(
  connect: ConnectClient,
  pool: Pool,
  connectors: readonly DebeziumConnector[],
): Promise<void> {
  for (const connector of connectors) await connect.delete(connector.name).catch(() => undefined);
  const names = connectors.map(({ slot }) => slot);
  await until(async () => [...(await readSlots(pool, names)).values()].every((one) => !one.active));
  await pool.query(
    "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = any($1)",
    [names],
  );
}

async function until(isSo: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`It isn't so after ${timeoutMs} ms.`);
    await systemClock.sleep(50);
  }
}

const definitions = { ...application, changeTopics: [changeTopic], slotName: name };

/** What the connectors can't publish goes to their log, with the ids of their registry. */
function apply({ connect, connectors, stores, kafka, registry, database }: Both) {
  const { signal } = new AbortController();
  const theirs = { ...stores, log: kafka, registry };
  return applyConnectors({
    connect,
    connectors,
    pool: stores.pool,
    clock: systemClock,
    timeoutMs: 60_000,
    signal,
    recapture: recaptureFor({ definitions, stores: theirs, url: database.url, signal }),
  });
}

type Both = Awaited<ReturnType<typeof openBoth>>;

let both: Both;
let capture: EmbeddedCapture;

beforeAll(async () => {
  both = await openBoth();
  const { stores, kafka, database } = both;
  for (const log of [stores.log, kafka]) {
    await log.ensureTopic({ name: eventTopic, partitions });
    await log.ensureTopic({ name: changeTopic.name, partitions });
    await log.ensureTopic({ ...transactionTopic, name: `${name}.transaction` });
  }
  const part = { definitions, stores, url: database.url, metrics: noMetrics };
  capture = new EmbeddedCapture({ ...captureOptions(part, stores.pool), prefix: name });
  await capture.start(new AbortController().signal);
}, 120_000);

afterAll(async () => {
  await capture[Symbol.asyncDispose]();
  await both.close();
}, 60_000);

function event(number: number): NewEvent {
  const partition = number % partitions;
  return {
    id: `${name}-${number}`,
    type: "test.Happened",
    topic: eventTopic,
    partition,
    key: `kéy-${partition}`,
    value: Buffer.from([0, 0, 0, 0, 7, number & 0xff, 0xff, 0xfe, 0x00]),
    tags: [`test:${number}`],
    correlationId: `correlation "${number}", with, commas`,
    ...(number % 2 === 0 ? { causationId: `cause-${number}` } : {}),
    ...(number % 3 === 0
      ? { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" }
      : {}),
  };
}

async function appendEvents(
  stores: Pick<Stores, "eventStore">,
  from: number,
  count: number,
): Promise<void> {
  for (let at = from; at < from + count; at += 1) {
    await stores.eventStore.append({ events: [event(at)], condition: [] }, { as: "command" });
  }
}

interface LoggedRecord extends RecordToAppend {
  readonly partition: number;
}

async function readAll(log: RecordLog, topic: string): Promise<LoggedRecord[]> {
  const records: LoggedRecord[] = [];
  const from = new Map(Array.from({ length: partitions }, (_, at) => [at, offset(0)]));
  const cursor = new RecordCursor({ verify: "checksum" });
  const signal = AbortSignal.timeout(20_000);
  for await (const fetch of log.read({ topic, from, until: "end", signal })) {
    for (const { partition, bytes } of fetch.partitions) {
      cursor.reset(bytes, 0n);
      while (cursor.next()) records.push({ partition, ...cursor.record() });
    }
  }
  return records.sort((a, b) => a.partition - b.partition);
}

async function bothLogs(topic: string, count: number) {
  const { stores, kafka } = both;
  const has = async (log: RecordLog): Promise<boolean> =>
    (await readAll(log, topic)).length >= count;
  await until(async () => (await has(stores.log)) && (await has(kafka)));
  return { embedded: await readAll(stores.log, topic), debezium: await readAll(kafka, topic) };
}

/** Connect writes a header without a value where the row has NULL; readers take both for nothing. */
const printable = ({ partition, timestampMs, key, value, headers }: LoggedRecord) => ({
  partition,
  timestampMs,
  key: key && Buffer.from(key).toString("utf8"),
  value: value && Buffer.from(value).toString("hex"),
  headers: headers.flatMap((one) =>
    one.value === null ? [] : [`${one.name}: ${Buffer.from(one.value).toString("utf8")}`],
  ),
});

describe("Debezium and the embedded capture write the same", () => {
  test("events, those included that were appended before the connector", async () => {
    const { stores, connectors, connect } = both;
    const [events] = connectors as [DebeziumConnector, DebeziumConnector];
    await appendEvents(stores, 0, 20);
    const applied = await apply(both);
    expect(applied).toMatchObject([
      { was: "new", anew: { fault: "never-ran", events: 20, rows: 0, removed: 0 } },
      { was: "new", anew: { fault: "never-ran", events: 0, rows: 0, removed: 0 } },
    ]);
    await appendEvents(stores, 20, 20);
    const { embedded, debezium } = await bothLogs(eventTopic, 40);
    expect(debezium.map(printable)).toEqual(embedded.map(printable));
    expect(debezium).toHaveLength(40);
    expect((await connect.status(events.name))?.state).toBe("RUNNING");
  }, 120_000);

  test("row changes, read through the codec of each one's registry", async () => {
    const { stores, registry } = both;
    const { pool } = stores;
    await pool.query(
      `insert into catalogue.modules (code, title, capacity, fee_cents)
       select 'M' || n, 'Module ' || n, n, n * 100 from generate_series(1, 20) n`,
    );
    await pool.query("update catalogue.modules set capacity = capacity + 1 where capacity > 10");
    await pool.query("delete from catalogue.modules where code in ('M1', 'M2')");
    // 20 inserts, 10 updates, 2 deletes with a tombstone each.
    const { embedded, debezium } = await bothLogs(changeTopic.name, 34);
    const ours = await decoded(embedded, stores.codec.changes(changeTopic));
    const theirs = await decoded(debezium, avroCodec({ registry }).changes(changeTopic));
    expect(theirs.map(comparable)).toEqual(ours.map(comparable));
    expect(theirs).toHaveLength(34);
  }, 120_000);

  test("applying again changes nothing", async () => {
    const again = await apply(both);
    expect(again).toEqual(
      both.connectors.map(({ name: connector }) => ({ name: connector, was: "unchanged" })),
    );
  }, 120_000);

  test("an idle slot is moved on past what others write", async () => {
    const { stores, connectors } = both;
    const { pool } = stores;
    const slots = connectors.map(({ slot }) => slot);
    await pool.query("create table filler (text text)");
    const { rows } = await pool.query<{ lsn: string }>(
      `with written as (insert into filler select repeat('x', 500) from generate_series(1, 2000) returning 1)
       select pg_current_wal_lsn()::text as lsn from (select count(*) from written) one`,
    );
    const lsn = rows[0]?.lsn;
    await until(async () => {
      const { rows: passed } = await pool.query<{ passed: boolean }>(
        `select bool_and(confirmed_flush_lsn > $2::pg_lsn) as passed
         from pg_replication_slots where slot_name = any($1)`,
        [slots, lsn],
      );
      return passed[0]?.passed === true;
    });
  }, 90_000);
});

/** Nobody reads the slots any more, and so nobody keeps the write-ahead log for them. */
async function dropSlots({ stores, connect, connectors }: Both): Promise<void> {
  const slots = connectors.map(({ slot }) => slot);
  for (const connector of connectors) await connect.stop(connector.name);
  await until(async () =>
    [...(await readSlots(stores.pool, slots)).values()].every((slot) => !slot.active),
  );
  for (const slot of slots) await stores.pool.query("select pg_drop_replication_slot($1)", [slot]);
}

const makeSlots = ({ stores, connectors }: Both): Promise<unknown> =>
  Promise.all(
    connectors.map(({ slot }) =>
      stores.pool.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [slot]),
    ),
  );

async function assertWhole({ stores, kafka, registry }: Both, events: number): Promise<void> {
  await until(async () => (await readAll(kafka, eventTopic)).length >= events);
  const records = await readAll(kafka, eventTopic);
  const ids = records.map(({ headers }) => textOf(headers, "ce_id") ?? "");
  expect(ids).toHaveLength(events);
  expect(new Set(ids)).toEqual(new Set(numbers(0, events).map((number) => `${name}-${number}`)));
  const { rows } = await stores.pool.query<{ code: string; capacity: number }>(
    `select code, capacity from catalogue.modules order by code collate "C"`,
  );
  const reader = avroCodec({ registry }).changes(changeTopic);
  await expect
    .poll(async () => toldRows(await readAll(kafka, changeTopic.name), reader), { timeout: 20_000 })
    .toEqual(rows);
}

/** The rows that a reader comes to who takes each key's last record. */
async function toldRows(records: readonly LoggedRecord[], reader: ChangeReader) {
  const told = new Map<string, RowChange>();
  for (const { key, value } of records) {
    if (value === null || key === null) continue;
    const bytes = Buffer.from(value);
    const id = framedSchemaId(bytes, 0, bytes.length) ?? 0;
    const decoder = reader.known(id) ?? (await reader.learn(id));
    told.set(Buffer.from(key).toString("hex"), decoder.decode(bytes, 5, bytes.length));
  }
  return [...told.values()]
    .flatMap(({ after }) => (after ? [after as { code: string; capacity: number }] : []))
    .map(({ code, capacity }) => ({ code, capacity }))
    .sort((one, other) => (one.code < other.code ? -1 : 1));
}

/** What is written while no slot keeps its write-ahead log: events, a change and a removal too. */
async function writeUnseen({ pool, eventStore }: Stores, from: number): Promise<void> {
  await appendEvents({ eventStore }, from, 4);
  await pool.query("update catalogue.modules set capacity = capacity + 100 where code = 'M3'");
  await pool.query(
    "delete from catalogue.modules where code = (select min(code) from catalogue.modules)",
  );
}

describe("slots that are gone", () => {
  test("are made anew: what nobody captured is published, removals among it", async () => {
    const { stores } = both;
    await dropSlots(both);
    await writeUnseen(stores, 40);
    const applied = await apply(both);
    expect(applied).toMatchObject([
      { anew: { fault: "slot-missing", events: 4 } },
      { anew: { fault: "slot-missing", rows: 17, removed: 1 } },
    ]);
    // At once: the first transaction after the rows counts too.
    await stores.pool.query("update catalogue.modules set capacity = 7 where code = 'M4'");
    await appendEvents(stores, 44, 4);
    await assertWhole(both, 48);
  }, 120_000);

  test("and made anew by somebody else are noticed by where they stand", async () => {
    const { stores, connect, connectors } = both;
    await dropSlots(both);
    await writeUnseen(stores, 48);
    await makeSlots(both);
    const reports = await readConnectors({ connect, connectors, pool: stores.pool });
    for (const { faults } of reports) expect(faults.join()).toContain("made it anew");
    expect(await apply(both)).toMatchObject([
      { anew: { fault: "slot-replaced", events: 4 } },
      { anew: { fault: "slot-replaced", rows: 16, removed: 1 } },
    ]);
    await stores.pool.query("update catalogue.modules set capacity = 8 where code = 'M4'");
    await assertWhole(both, 52);
  }, 120_000);
});

const numbers = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

function textOf(headers: LoggedRecord["headers"], wanted: string): string | undefined {
  return headers.find((header) => header.name === wanted)?.value?.toString();
}

/**
 * In the order of the write-ahead log: keys carry each registry's own ids, so the same key may be
 * in another partition. Tombstones come last.
 */
async function decoded(
  records: readonly LoggedRecord[],
  reader: ChangeReader,
): Promise<readonly (RowChange | undefined)[]> {
  const changes: (RowChange | undefined)[] = [];
  for (const { value } of records) {
    if (value === null) {
      changes.push(undefined);
      continue;
    }
    const bytes = Buffer.from(value);
    const id = framedSchemaId(bytes, 0, bytes.length) ?? 0;
    const decoder = reader.known(id) ?? (await reader.learn(id));
    changes.push(decoder.decode(bytes, 5, bytes.length));
  }
  return changes.sort((a, b) => Number(placeOf(a) - placeOf(b)));
}

/** Each capture counts the commits that it sees itself: the embedded one sees those of events too. */
const comparable = (change: RowChange | undefined) => change && { ...change, commitLsn: undefined };

const placeOf = (change: RowChange | undefined): bigint =>
  change === undefined ? 2n ** 80n : change.commitLsn * 1_000_000n + BigInt(change.order);
