import { expect, onTestFinished, test } from "vitest";

import {
  repairCapture,
  type CaptureOptions,
  type Repaired,
} from "../../connectors/capture/index.ts";
import { PostgresCaptureSink } from "../../connectors/capture/index.ts";
import { systemClock } from "../../bin/system-clock.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { CapturedDatabase, type ReadRecord } from "./captured-database.ts";
import { createOutbox, insertOutbox } from "./outbox-table.ts";

const outboxTables = ["public.outbox"];
const table = "public.rooms";

interface Room {
  readonly code: string;
  readonly seats: number;
}

interface Told {
  readonly op: string;
  readonly before: Room | null;
  readonly after: Room | null;
  readonly source: { readonly snapshot: string; readonly sequence: string };
}

/** Three rooms and three events, all of them published; nothing captures any more. */
async function captured(): Promise<CapturedDatabase> {
  const database = await CapturedDatabase.make();
  await database.sql(
    createOutbox,
    "create table rooms (code text primary key, seats int not null)",
    "insert into rooms values ('A', 1), ('B', 2)",
  );
  await database.log.ensureTopic({ name: "events", partitions: 2 });
  await whileCapturing(database, async () => {
    await database.sql("insert into rooms values ('C', 3)", event(1), event(2), event(3));
    await database.untilRecords(6);
  });
  return database;
}

const event = (sequence: number): string =>
  insertOutbox({ position: sequence, topic: "events", partition: 0, sequence });

async function whileCapturing(
  database: CapturedDatabase,
  work: () => Promise<void>,
): Promise<void> {
  const capture = await database.capture([table], { outboxTables });
  try {
    await capture.start(new AbortController().signal);
    await work();
  } finally {
    await capture[Symbol.asyncDispose]();
    await database.slotFree();
  }
}

function repair(
  database: CapturedDatabase,
  more: Partial<CaptureOptions> = {},
  when: "needed" | "always" = "needed",
): Promise<Repaired | undefined> {
  const { url, pool, registry, slot, log } = database;
  const { signal } = new AbortController();
  const capture: CaptureOptions = {
    url,
    registry,
    slot,
    sink: new PostgresCaptureSink({ pool, slot }),
    metrics: noMetrics,
    clock: systemClock,
    random: new SeededRandom(),
    outboxTables,
    tables: [{ name: table, partitions: 1 }],
    limits: { slotWaitMs: 200, snapshotRowsMax: 2 },
    ...more,
  };
  return repairCapture({ capture, log, when, signal });
}

const refusal = async (database: CapturedDatabase): Promise<unknown> =>
  whileCapturing(database, () => Promise.resolve()).then(
    () => undefined,
    (error: unknown) => error,
  );

const sequences = (records: readonly ReadRecord[]): number[] =>
  records.filter(({ topic }) => topic === "events").map(({ sequence }) => Number(sequence));

const changes = (database: CapturedDatabase, records: readonly ReadRecord[]): (Told | null)[] =>
  records
    .filter(({ topic }) => topic === `refold.${table}`)
    .map(({ value }) => database.decode(value) as Told | null);

/** The rows that a reader of the topic comes to. */
function rowsOf(database: CapturedDatabase, records: readonly ReadRecord[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const told of changes(database, records)) {
    if (told?.after) rows.set(told.after.code, told.after.seats);
    else if (told?.before) rows.delete(told.before.code);
  }
  return rows;
}

/** What is written while no slot keeps its WAL. */
const writeUnseen = (database: CapturedDatabase): Promise<void> =>
  database.sql(
    "delete from rooms where code = 'A'",
    "update rooms set seats = 20 where code = 'B'",
    "insert into rooms values ('D', 4)",
    event(4),
    event(5),
  );

async function assertWhole(database: CapturedDatabase): Promise<void> {
  await whileCapturing(database, async () => {
    const before = (await database.records()).length;
    await database.sql("update rooms set seats = 30 where code = 'C'", event(6));
    await database.untilRecords(before + 2);
  });
  const records = await database.records();
  expect(sequences(records)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(rowsOf(database, records)).toEqual(
    new Map([
      ["B", 20],
      ["C", 30],
      ["D", 4],
    ]),
  );
}

test("a slot that was dropped is refused, and repaired: rows converge, lanes have no gap", async () => {
  const database = await captured();
  await database.sql(`select pg_drop_replication_slot('${database.slot}')`);
  await writeUnseen(database);
  expect(await refusal(database)).toMatchObject({
    code: "slot-lost",
    message: expect.stringContaining("refold capture repair") as unknown,
  });
  const repaired = await repair(database);
  expect(repaired).toMatchObject({ events: 2, rows: 3, removed: 1, fault: { code: "slot-lost" } });
  await assertWhole(database);
});

test("a slot that was dropped and made anew is refused by name, and repaired", async () => {
  const database = await captured();
  await database.sql(`select pg_drop_replication_slot('${database.slot}')`);
  await writeUnseen(database);
  await database.sql(`select pg_create_logical_replication_slot('${database.slot}', 'pgoutput')`);
  expect(await refusal(database)).toMatchObject({
    code: "slot-advanced",
    message: expect.stringContaining("made it anew") as unknown,
  });
  await repair(database);
  await assertWhole(database);
});

test("a slot that was advanced past changes is refused by name, and repaired", async () => {
  const database = await captured();
  await writeUnseen(database);
  await database.sql(
    `select pg_replication_slot_advance('${database.slot}', pg_current_wal_lsn())`,
  );
  expect(await refusal(database)).toMatchObject({ code: "slot-advanced" });
  await repair(database);
  await assertWhole(database);
});

test("a capture of another server is refused by name, and repaired", async () => {
  const database = await captured();
  await writeUnseen(database);
  await database.sql("update refold.capture_position set source = '1/00000001'");
  expect(await refusal(database)).toMatchObject({ code: "server-differs" });
  await repair(database);
  await assertWhole(database);
});

test("a change after the repair is newer than all before it, and its removal tells the row", async () => {
  const database = await captured();
  await database.sql(`select pg_drop_replication_slot('${database.slot}')`);
  await writeUnseen(database);
  const before = await database.records();
  await repair(database);
  const added = (await database.records()).filter(
    (record) => !before.some((one) => one.topic === record.topic && one.offset === record.offset),
  );
  const told = changes(database, added);
  expect(told.map((one) => one?.op)).toEqual(["d", undefined, "r", "r", "r"]);
  expect(told[0]).toMatchObject({
    before: { code: "A", seats: 1 },
    after: null,
    source: { snapshot: "true" },
  });
  await assertWhole(database);
  const last = changes(database, await database.records()).at(-1);
  const [commit] = JSON.parse(last?.source.sequence ?? "[]") as [string | null];
  expect(Number(commit)).toBeGreaterThan(0);
});

test("a capture that can go on is left alone, and repaired when that is asked for", async () => {
  const database = await captured();
  const before = (await database.records()).length;
  expect(await repair(database)).toBeUndefined();
  expect((await database.records()).length).toBe(before);
  expect(await repair(database, {}, "always")).toMatchObject({ events: 0, rows: 3, removed: 0 });
});

test("a repair that died in the middle is done again from the beginning", async () => {
  const database = await captured();
  await database.sql(`select pg_drop_replication_slot('${database.slot}')`);
  await writeUnseen(database);
  const { pool, slot } = database;
  const sink = new PostgresCaptureSink({ pool, slot });
  const whole = sink.publishSnapshot.bind(sink);
  sink.publishSnapshot = (parts, upTo) => whole(dying(parts), upTo);
  await expect(repair(database, { sink })).rejects.toThrow("pulled the plug");
  expect(sequences(await database.records())).toEqual([1, 2, 3]);
  expect(await refusal(database)).toMatchObject({ code: "slot-advanced" });
  await repair(database);
  await assertWhole(database);
});

async function* dying<Part>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
  let left = 2;
  for await (const part of parts) {
    if (left-- === 0) throw new Error("pulled the plug");
    yield part;
  }
}

test("a log that has more than the store, or something else, is refused by name", async () => {
  const database = await captured();
  await database.sql(
    `select pg_drop_replication_slot('${database.slot}')`,
    "update outbox set ce_id = 'other' where sequence = 3",
  );
  await expect(repair(database)).rejects.toMatchObject({ code: "log-differs" });
  await database.sql("delete from outbox where sequence = 3");
  await expect(repair(database)).rejects.toMatchObject({ code: "log-ahead" });
});

test("a table without a key can't be repaired, and says so", async () => {
  const database = await captured();
  await database.sql(
    `select pg_drop_replication_slot('${database.slot}')`,
    "alter table rooms drop constraint rooms_pkey",
  );
  await expect(repair(database)).rejects.toMatchObject({ code: "table-keyless" });
});

test("nothing to repair where nothing was ever captured", async () => {
  const database = await CapturedDatabase.make();
  onTestFinished(() => undefined);
  await database.sql(createOutbox, "create table rooms (code text primary key)");
  await expect(repair(database)).rejects.toMatchObject({ code: "nothing-captured" });
});
