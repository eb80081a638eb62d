import { once } from "node:events";
import type { Readable } from "node:stream";

import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../bin/system-clock.ts";
import { PostgresCaptureSink, repairCapture } from "../../connectors/capture/index.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { beside } from "../support/beside.ts";
import { CapturedDatabase, onPublic } from "./captured-database.ts";
import { kill, startChild, temporaryFolder, type ChildWork } from "./children.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const rounds = Number(process.env["REFOLD_ROUNDS"] ?? 4);
const rowsOfTable = 1_500;
const outboxTables = ["public.outbox"];
const tables = ["public.rooms", "public.seats"];

interface Told {
  readonly op: string;
  readonly before: { readonly id: number } | null;
  readonly after: { readonly id: number; readonly v: number } | null;
}

/** Two tables with rows, an outbox, and a capture that knows the first table alone. */
async function captured(): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql(
    createOutbox,
    "create table sig (id text primary key, type text not null, data text)",
    "create table rooms (id int primary key, v int not null)",
    "create table seats (id int primary key, v int not null)",
    `insert into rooms select g, 0 from generate_series(1, ${rowsOfTable}) g`,
    `insert into seats select g, 0 from generate_series(1, ${rowsOfTable}) g`,
  );
  for (const table of [...tables, "public.sig"]) {
    await database.log.ensureTopic({ name: `refold.${table}`, partitions: 1 });
  }
  await database.log.ensureTopic({ name: "events", partitions: 1 });
  await using first = await database.capture(["public.rooms"], { outboxTables });
  await first.start(new AbortController().signal);
  return database;
}

/** Changes both tables and writes an event in each transaction. */
class Writer implements AsyncDisposable {
  readonly #client: Client;
  #events = 0;

  constructor(url: string) {
    this.#client = new Client({ connectionString: url, options: onPublic });
    // What breaks a connection breaks its next statement too, which tells.
    this.#client.on("error", () => undefined);
  }

  get events(): number {
    return this.#events;
  }

  open(): Promise<unknown> {
    return this.#client.connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async write(): Promise<void> {
    this.#events += 1;
    const at = this.#events;
    const id = (at * 37) % rowsOfTable;
    const event = { position: at, topic: "events", partition: 0, sequence: at };
    await this.#client.query(
      `begin; update rooms set v = ${at} where id between ${id} and ${id + 3};
       update seats set v = ${at} where id between ${id} and ${id + 3};
       delete from rooms where id = ${id + 5}; delete from seats where id = ${id + 6};
       update seats set id = ${10_000 + at} where id = ${id + 7};
       insert into rooms values (${10_000 + at}, ${at}); ${insertOutbox(event)}; commit`,
    );
  }

  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      await this.write();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function writing(database: CapturedDatabase): Promise<Writer> {
  const writer = new Writer(database.url);
  await writer.open();
  onTestFinished(() => writer[Symbol.asyncDispose]());
  return writer;
}

/** Rows by id, as a reader comes to them that applies the topic in order. */
async function folded(database: CapturedDatabase, table: string): Promise<Map<number, number>> {
  const rows = new Map<number, number>();
  for (const { topic, value } of await database.records()) {
    if (topic !== `refold.${table}` || value === null) continue;
    const { after, before } = database.decode(value) as Told;
    if (after) rows.set(after.id, after.v);
    else if (before) rows.delete(before.id);
  }
  return rows;
}

async function inTable(database: CapturedDatabase, table: string): Promise<Map<number, number>> {
  const { rows } = await database.pool.query<{ id: number; v: number }>(
    `select id, v from ${table}`,
  );
  return new Map(rows.map(({ id, v }) => [id, v]));
}

async function isWhole(database: CapturedDatabase, events: number): Promise<void> {
  const sequences = async (): Promise<number[]> =>
    (await database.records())
      .filter(({ topic }) => topic === "events")
      .map(({ sequence }) => Number(sequence));
  await expect.poll(async () => (await sequences()).length, { timeout: 30_000 }).toBe(events);
  expect(await sequences()).toEqual(Array.from({ length: events }, (_, at) => at + 1));
  for (const table of tables) {
    const wanted = await inTable(database, table);
    await expect.poll(() => folded(database, table), { timeout: 30_000 }).toEqual(wanted);
  }
}

/** Starts a process and kills it at a moment of its work. */
async function oneKilled(
  place: { readonly database: CapturedDatabase; readonly codeFolder: string },
  work: Pick<ChildWork, "kind" | "tables" | "signals">,
): Promise<void> {
  const child = startChild(place, work);
  await once(child.stdout as Readable, "data");
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
  expect(child.exitCode).toBeNull();
  await kill(child);
}

const progress = async (database: CapturedDatabase): Promise<string | null | undefined> => {
  const { rows } = await database.pool.query<{ incremental: string | null }>(
    "select incremental from refold.capture_position",
  );
  return rows[0]?.incremental;
};

const execute = (round: number): string => `insert into sig values ('go ${round}',
  'execute-snapshot', '{"data-collections": ["public.rooms"], "type": "incremental"}')`;

test(`${rounds} kills while rows are told beside their changes lose and double nothing`, async () => {
  const database = await captured();
  const codeFolder = await temporaryFolder();
  const writer = await writing(database);
  const endWriting = beside((ended) => writer.run(ended));
  const work = { kind: "capture", tables, signals: "public.sig" } as const;
  let interrupted = 0;
  for (let round = 0; round < rounds; round++) {
    await database.sql(execute(round));
    await oneKilled({ database, codeFolder }, work);
    if (typeof (await progress(database)) === "string") interrupted += 1;
  }
  await endWriting();
  expect(interrupted).toBeGreaterThan(0);
  const signals = { table: "public.sig", chunkRows: 500, watermarks: "insert_insert" } as const;
  const limits = { idleIntervalMs: 100 };
  const last = await database.capture(tables, { outboxTables, signals, limits });
  onTestFinished(() => last[Symbol.asyncDispose]());
  await last.start(new AbortController().signal);
  await expect.poll(() => progress(database), { timeout: 30_000 }).toBeNull();
  // This process decodes, and knows the schemas of what it has told itself.
  await writer.write();
  await isWhole(database, writer.events);
});

test(`${rounds} kills of a repair leave a log that the next repair makes whole`, async () => {
  const database = await captured();
  const codeFolder = await temporaryFolder();
  const writer = await writing(database);
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < 20; at++) await writer.write();
    await dropSlot(database);
    for (let at = 0; at < 20; at++) await writer.write();
    await oneKilled({ database, codeFolder }, { kind: "repair", tables });
  }
  await dropSlot(database);
  await writer.write();
  const { url, pool, registry, slot, log } = database;
  const { signal } = new AbortController();
  const repaired = await repairCapture({
    capture: {
      url,
      registry,
      slot,
      sink: new PostgresCaptureSink({ pool, slot }),
      metrics: noMetrics,
      clock: systemClock,
      random: new SeededRandom(),
      outboxTables,
      tables: tables.map((name) => ({ name, partitions: 1 })),
    },
    log,
    when: "needed",
    signal,
  });
  expect(repaired?.fault).toMatchObject({ code: "slot-lost" });
  await using last = await database.capture(tables, { outboxTables });
  await last.start(new AbortController().signal);
  for (let at = 0; at < 5; at++) await writer.write();
  await isWhole(database, writer.events);
});

/** Once the server has noticed that its reader is dead. */
async function dropSlot(database: CapturedDatabase): Promise<void> {
  await database.slotFree();
  await database.sql(
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots
     where slot_name = '${database.slot}'`,
  );
}
