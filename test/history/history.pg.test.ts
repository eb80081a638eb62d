import { expect, test } from "vitest";

import { PostgresComparisons } from "../../connectors/postgres/comparisons/index.ts";
import { PostgresDrifts } from "../../connectors/postgres/drifts/index.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { PostgresGenerations } from "../../connectors/postgres/generations/index.ts";
import { PostgresReadModelStore } from "../../connectors/postgres/read-model-store/index.ts";
import { PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import { PostgresSnapshots } from "../../connectors/postgres/snapshots/index.ts";
import { auditWhole, type DriftedRow } from "../../engine/history/audit.ts";
import { defaultSnapshotLimits, SnapshotPolicy } from "../../engine/history/snapshot-policy.ts";
import { defaultStandingAuditLimits, StandingAudit } from "../../engine/history/standing-audit.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { realClock } from "../api/real-clock.ts";
import { board, history, withNotes } from "../engine/seats.ts";
import { storesDatabase } from "../stores/postgres-stores.ts";
import { PastWorld, projections } from "./past-world.ts";

const numbers = Array.from({ length: 60 }, (_, at) => (at * 37 + 11) % 1_000);

async function worldOnPostgres() {
  const database = await storesDatabase();
  const { pool } = database;
  const log = new PostgresRecordLog({ pool });
  const world = await PastWorld.on({
    clock: realClock,
    eventStore: new PostgresEventStore({ pool, metrics: noMetrics }),
    log,
    store: new PostgresReadModelStore({ pool }),
    snapshots: new PostgresSnapshots({ pool }),
    comparisons: new PostgresComparisons({ pool }),
    generations: new PostgresGenerations({ pool }),
  });
  const drifts = new PostgresDrifts({ pool });
  const end = async (): Promise<void> => {
    await log[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  };
  return { world, pool, drifts, [Symbol.asyncDispose]: end };
}

test("rows and read models of the past are told from Postgres, with snapshots and without", async () => {
  await using stage = await worldOnPostgres();
  const { world } = stage;
  const events = withNotes(history(numbers));
  const policy = new SnapshotPolicy({
    ...defaultSnapshotLimits,
    ...world.source,
    ...world.ports,
    projections,
    isMine: () => true,
    metrics: noMetrics,
    report: (message) => expect.unreachable(message),
  });
  await world.happen(...events.slice(0, 30));
  await world.publish();
  for (const projection of projections) {
    await world.follow(projection);
    await policy.look(projection);
    const taken = await world.snapshots.list(projection.name);
    expect(taken).toMatchObject([{ audit: { from: "beginning" } }]);
  }
  await realClock.sleep(2);
  await world.happen(...events.slice(30));
  await world.publish();
  await realClock.sleep(2);
  using past = world.history();
  const times = [10, 29, 30, 45, 59].map((at) => world.events[at]?.recordedAtMs ?? 0);
  for (const atMs of times) {
    for (const projection of projections) {
      const expected = world.rowsAt(projection, atMs);
      const { result } = await past.reader(atMs).find(projection.name, { limit: 100 });
      const rows = Object.fromEntries(result.rows.map(({ key, row }) => [key, row]));
      expect(rows).toEqual(expected);
      for (const key of ["a", "row of b"]) {
        expect((await past.rowAsOf(projection.name, key, atMs)).row).toEqual(expected[key]);
      }
    }
  }
});

test("what was planted with SQL is found by the whole audit and by the standing one", async () => {
  await using stage = await worldOnPostgres();
  const { world, pool, drifts } = stage;
  await world.happen(...history(numbers));
  await world.publish();
  const generation = await world.follow(board);
  const { ports, source } = world;
  const sound: DriftedRow[] = [];
  const ask = { projection: board, generation, from: "beginning", rowsMax: 100 } as const;
  const whole = (found: DriftedRow[]) =>
    auditWhole({ ...source, ...ports }, { ...ask, onDrift: (row) => found.push(row) });
  await whole(sound);
  expect(sound).toEqual([]);
  const { rows } = await pool.query<{ key: string }>(
    `update read.board__g1 set held = held + 1
     where key = (select min(key) from read.board__g1) returning key`,
  );
  const found: DriftedRow[] = [];
  const verdict = await whole(found);
  expect(found).toMatchObject([{ key: rows[0]?.key, fields: ["held"] }]);
  expect(verdict.digestsDiffering).toHaveLength(1);
  using past = world.history();
  const audit = new StandingAudit({
    ...defaultStandingAuditLimits,
    ...source,
    ...ports,
    drifts,
    rows: past.rows,
    projections: [board],
    isMine: () => true,
    metrics: noMetrics,
    report: () => undefined,
  });
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: [rows[0]?.key] });
  expect(await drifts.list("board")).toMatchObject([{ key: rows[0]?.key, kind: "changed" }]);
  await pool.query(`update read.board__g1 set held = held - 1 where key = $1`, [rows[0]?.key]);
  expect(await audit.pass(board)).toMatchObject({ driftedKeys: [], buckets: [] });
  expect(await drifts.list()).toEqual([]);
});
