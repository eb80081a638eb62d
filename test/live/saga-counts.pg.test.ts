import { Pool } from "pg";
import { expect, it, onTestFinished } from "vitest";

import { SagaCounts } from "../../bin/system/saga-counts.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { databaseOfTest } from "../support/database.ts";

const followed = { name: "payments", row: { status: "text" } };

/** Generation 2 of a read model serves, with one row that is paid and two that aren't. */
async function readModel() {
  const pool = new Pool({ connectionString: await databaseOfTest(), max: 1 });
  onTestFinished(() => pool.end());
  await pool.query("create schema read");
  await pool.query('create table read."payments__g2" (key text, status text)');
  await pool.query(
    `insert into read."payments__g2" values ('a', 'confirmed'), ('b', 'requested'), ('c', 'requested')`,
  );
  const serving = { projection: "payments", generation: 2, role: "serving" };
  const kept = { projection: "payments", generation: 1, role: "kept" };
  const generations = { list: async () => [kept, serving] as never };
  const clock = new ManualClock(1_000);
  const counts = new SagaCounts({ pool, generations, clock, of: { payments: followed } });
  return { pool, clock, counts };
}

it("counts the rows of what serves by status, and tells when", async () => {
  const { counts } = await readModel();
  expect(await counts.look()).toEqual({
    payments: { countedAtMs: 1_000, counts: { confirmed: 1, requested: 2 } },
  });
});

it("tells that it doesn't know where the table is gone, and counts again when it is there", async () => {
  const { pool, counts } = await readModel();
  await pool.query('alter table read."payments__g2" rename to away');
  expect(await counts.look()).toEqual({ payments: null });
  await pool.query('alter table read.away rename to "payments__g2"');
  expect(await counts.look()).toMatchObject({ payments: { counts: { requested: 2 } } });
});
