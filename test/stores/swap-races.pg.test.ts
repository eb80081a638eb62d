import { Client } from "pg";
import { expect, test } from "vitest";

import {
  PostgresGenerations,
  PostgresReadModelReader,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { FencedError } from "../../engine/errors.ts";
import type { Generation, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import { flushOf } from "../conformance/read-model-subject.ts";
import { advance, at, laneAt, places, readModel } from "../conformance/store-samples.ts";
import { beside } from "../support/beside.ts";
import { storesDatabase } from "./postgres-stores.ts";

const held = (generation: number) =>
  ["a", "b", "c"].map((key) => ({
    key,
    partition: 0,
    row: { moduleCode: key, held: generation },
  }));

/** Flushes one position after the other, of both partitions, until it is told to stop. */
async function keepFlushing(store: ReadModelStore, generation: Generation, stop: AbortSignal) {
  let owned = await store.claim(generation, places(0, 1));
  let flushes = 0;
  for (let upTo = 1; !stop.aborted; upTo += 1) {
    const to = laneAt(upTo);
    const advances = owned.map((one) => advance(one, to));
    await store.flush(flushOf(generation, { advances, rows: held(generation.generation) }));
    owned = owned.map((one) => ({ ...one, position: to }));
    flushes += 1;
  }
  return flushes;
}

test("while generations swap to and fro under flushes, no read fails, hangs or mixes them", async () => {
  await using database = await storesDatabase({ connectionsMax: 10 });
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const generations = new PostgresGenerations({ pool });
  const model = readModel();
  const { projection } = model;
  const both = [await store.open(model), await generations.create(model, {}, 1n)];
  for (const one of both) {
    await store.flush(flushOf(one, { rows: held(one.generation) }));
  }
  const endFlushing = beside((ended) =>
    Promise.all(both.map((one) => keepFlushing(store, one, ended))),
  );
  const reader = new PostgresReadModelReader({ pool });
  const seen = new Set<number>();
  let longestReadMs = 0;
  const endReading = beside(async (ended) => {
    while (!ended.aborted) {
      const askedAtMs = performance.now();
      const { generation, result } = await reader.find(projection, { limit: 10 });
      longestReadMs = Math.max(longestReadMs, performance.now() - askedAtMs);
      seen.add(generation);
      expect(result.rows.map(({ row }) => row["held"])).toEqual(Array(3).fill(generation));
    }
  });
  const outcomes = { swapped: 0, moved: 0, apart: 0, differs: 0 };
  const begunMs = performance.now();
  const spentMs = (): number => performance.now() - begunMs;
  // Flushes of both are seldom level on a busy machine: one swap has its time.
  while (
    (outcomes.swapped < 5 && spentMs() < 5_000) ||
    (outcomes.swapped < 1 && spentMs() < 20_000)
  ) {
    const [from, to] = (await generations.list(projection)).find((one) => one.generation === 1)
      ?.serving
      ? [1, 2]
      : [2, 1];
    const swap = { projection, from, to, condition: "reached", keepMs: 60_000 } as const;
    // Two who want the same: never both.
    const verdicts = await Promise.all([generations.swap(swap), generations.swap(swap)]);
    for (const { outcome } of verdicts) outcomes[outcome] += 1;
    expect(verdicts.filter(({ outcome }) => outcome === "swapped").length).toBeLessThan(2);
  }
  await endReading();
  const flushes = await endFlushing();
  expect(outcomes.swapped).toBeGreaterThan(0);
  expect(Math.min(...flushes)).toBeGreaterThan(0);
  expect(seen).toEqual(new Set([1, 2]));
  // No lock of a swap is waited for: what is left is the load of the machine.
  expect(longestReadMs).toBeLessThan(3_000);
});

test("a swap waits for nobody who reads rows or the view, and moves the view when they are done", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const generations = new PostgresGenerations({ pool });
  const model = readModel({ projection: "seats" });
  const live = await store.open(model);
  const shadow = await generations.create(model, {}, 1n);
  await store.flush(flushOf(shadow, { rows: held(2) }));
  const person = new Client({ connectionString: database.url });
  await person.connect();
  await person.query('begin; select * from read."seats"; select * from read."seats__g1"');
  const swap = { projection: "seats", condition: "level", keepMs: 0 } as const;
  const verdict = await generations.swap({ ...swap, from: 1, to: 2 });
  expect(verdict.outcome).toBe("swapped");
  const reader = new PostgresReadModelReader({ pool });
  expect((await reader.get("seats", "a")).generation).toBe(2);
  // The table is read still: it stays, and says so after a moment.
  await expect(generations.remove(live, 10)).rejects.toMatchObject({ code: "timeout" });
  await person.query("commit");
  await person.end();
  expect(await generations.remove(live, 10)).toBe("gone");
  const shown = await pool.query('select held from read."seats" order by key');
  expect(shown.rows).toEqual([{ held: 2 }, { held: 2 }, { held: 2 }]);
});

test("a swap between versions gives the view the new columns; within one it keeps its grants", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const generations = new PostgresGenerations({ pool });
  const model = readModel({ projection: "seats" });
  await store.open(model);
  await pool.query('grant select on read."seats" to pg_monitor');
  const granted = async () =>
    (
      await pool.query<{ may: boolean }>(
        `select has_table_privilege('pg_monitor', 'read."seats"', 'select') as may`,
      )
    ).rows[0]?.may;
  const swap = { projection: "seats", condition: "level", keepMs: 60_000 } as const;
  await generations.create(model, {}, 1n);
  await generations.swap({ ...swap, from: 1, to: 2 });
  expect(await granted()).toBe(true);
  const { held: column } = model.columns;
  if (column === undefined) throw new Error("The sample has no such column.");
  await generations.create({ ...model, version: 2, columns: { free: column } }, {}, 2n);
  await generations.swap({ ...swap, from: 2, to: 3 });
  const { fields } = await pool.query('select * from read."seats"');
  expect(fields.map(({ name }) => name)).toEqual(["key", "partition", "free"]);
});

test("a flush in the middle is waited for, and what it wrote counts", async () => {
  await using database = await storesDatabase();
  const { pool } = database;
  const store = new PostgresReadModelStore({ pool });
  const generations = new PostgresGenerations({ pool });
  const model = readModel();
  const { projection } = model;
  const live = await store.open(model);
  await generations.create(model, {}, 1n);
  const owned = at(await store.claim(live, places(0)), 0);
  const flushing = new Client({ connectionString: database.url });
  await flushing.connect();
  await flushing.query("begin");
  await flushing.query(
    `update refold.positions set log_id = 'log-1', next_offset = 1, source_kind = 'offset'
     where consumer = $1 and generation = 1 and partition = 0`,
    [projection],
  );
  const swap = { projection, from: 1, to: 2, condition: "level", keepMs: 0 } as const;
  const swapping = generations.swap(swap);
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock'
    and query like '%refold.positions%' and datname = current_database()`;
  await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(1);
  await flushing.query("commit");
  await flushing.end();
  expect(await swapping).toEqual({ outcome: "apart", partitions: ["seat-events/0"] });
  const late = store.flush(flushOf(live, { advances: [advance(owned, laneAt(1))] }));
  await expect(late).rejects.toBeInstanceOf(FencedError);
});
