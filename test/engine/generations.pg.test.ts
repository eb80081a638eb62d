import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresAssignment,
  PostgresComparisons,
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../../connectors/postgres/index.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { happened } from "../../engine/testing/given.ts";
import { databaseOfTest } from "../support/database.ts";
import { GenerationStage, numbers, traffic } from "./generation-stage.ts";
import { until } from "./process.ts";
import { changes, counters, history, Moved, Opened } from "./seats.ts";

async function opened(): Promise<{ stage: GenerationStage; pool: Pool }> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "generations test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const log = new PostgresRecordLog({ pool });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const stage = new GenerationStage({
    log,
    store: new PostgresReadModelStore({ pool }),
    generations: new PostgresGenerations({ pool, listenUrl: url }),
    comparisons: new PostgresComparisons({ pool }),
    assignment: new PostgresAssignment({ pool, leaseMs: 3_000, heartbeatMs: 100, waitingMs: 20 }),
  });
  await stage.journal.open(changes);
  return { stage: await stage.begin(history(numbers(100))), pool };
}

const served = (runner: Runner): (number | undefined)[] =>
  runner
    .reports()
    .filter(({ consumer, state }) => consumer === "board" && state === "running")
    .map(({ generation }) => generation);

test("two processes take up what serves within its turn, and hold still without losing a record", async () => {
  const { stage } = await opened();
  const runners = [await stage.run(), await stage.run()];
  await stage.assertTrue(1);
  const load = traffic(stage, (at) => history(numbers(5, at)));
  const startedMs = performance.now();
  await stage.generations.release(await stage.heldStill(1));
  const heldMs = performance.now() - startedMs;
  expect(await stage.swap(await stage.shadow())).toMatchObject({ outcome: "swapped" });
  const swappedMs = performance.now();
  await until("it is taken up", () => {
    const generations = runners.flatMap(served);
    return generations.length === counters.partitions && generations.every((one) => one === 2);
  });
  const takenUpMs = performance.now() - swappedMs;
  await load.end();
  for (const generation of [1, 2]) await stage.assertTrue(generation);
  // Tens of milliseconds where the machine is quiet.
  expect(heldMs).toBeLessThan(2_000);
  expect(takenUpMs).toBeLessThan(4_000);
});

test("a row and a digest that were changed by hand are healed while the partition is hot", async () => {
  const { stage, pool } = await opened();
  await stage.append([happened(Opened, { code: "a", size: 5 })]);
  await stage.run({ heal: stage.healing() });
  await stage.assertTrue(1);
  const load = traffic(stage, () => [happened(Moved, { code: "a", by: 1 })]);
  await pool.query(`update read."board__g1" set held = 4711 where key <> ''`);
  const { rows } = await pool.query<{ key: string }>(`select key from read."board__g1"`);
  for (const { key } of rows) await stage.heal(key);
  await load.end();
  await stage.assertTrue(1);
});
