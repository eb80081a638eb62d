import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { engineMigrations, makePool, migrate } from "../../connectors/postgres/index.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { PostgresEffectLedger } from "../../connectors/postgres/effect-ledger/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { until } from "../engine/process.ts";
import { databaseOfTest } from "../support/database.ts";
import { place } from "./shop.ts";
import { bankTables, shopDecider, workShop } from "./shop-on-postgres.ts";

async function stage(): Promise<{ readonly url: string; readonly pool: Pool }> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "effects test", connectionsMax: 6 });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  await pool.query(bankTables);
  return { url, pool };
}

async function childOn(url: string): Promise<ChildProcess> {
  const program = new URL("./shop-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

async function happened(pool: Pool): Promise<string[]> {
  const found: string[] = [];
  for await (const page of new PostgresEventStore({ pool, metrics: noMetrics }).read({})) {
    found.push(...page.map(({ type, key }) => `${type.replace("shop.", "")} ${key}`));
  }
  return found;
}

const count = async (pool: Pool, sql: string): Promise<number> =>
  Number((await pool.query<{ n: string }>(`select count(*) as n from ${sql}`)).rows[0]?.n);

test("two processes, one of them killed: each order is charged once, or expires once", async () => {
  const { url, pool } = await stage();
  const [orders, silent] = [300, 60];
  const killed = await childOn(url);
  const decider = await shopDecider(pool);
  const names = Array.from({ length: orders }, (_, at) => `o${at}`);
  const cents = (at: number): number => (at % (orders / silent) === 0 ? 0 : 100);
  await Promise.all(
    names.map((order, at) =>
      // Those that the bank answers have time enough; the others have none to lose.
      decider.execute(
        place({ order, cents: cents(at), dueMs: cents(at) === 0 ? 1_500 : 600_000 }),
        {
          correlationId: order,
        },
      ),
    ),
  );
  await until("the bank has charged some", async () => {
    return (await count(pool, "bank_charges")) > 30;
  });
  killed.kill("SIGKILL");
  await once(killed, "exit");
  const started = await new PostgresEffectLedger({ pool }).list({ state: "started", limit: 500 });
  expect(started.length).toBeGreaterThan(0);
  await childOn(url);
  await using _ = await workShop(pool);
  const done = async (): Promise<boolean> => {
    const outcomes = (await happened(pool)).filter((one) => !one.startsWith("Ordered"));
    return outcomes.length >= orders;
  };
  await until("each has an outcome", done, 30_000);
  const expected = names.flatMap((order, at) => [
    `Ordered ${order}`,
    `${cents(at) === 0 ? "Expired" : "Charged"} ${order}`,
  ]);
  expect((await happened(pool)).toSorted()).toEqual(expected.toSorted());
  expect(await count(pool, "bank_charges")).toBe(orders - silent);
  // Tries of the dead process were made anew, under their keys.
  const asked = await count(pool, "bank_requests where key in (select key from bank_charges)");
  expect(asked).toBeGreaterThan(orders - silent);
  await until("no deadline is left", async () => (await count(pool, "refold.deadlines")) === 0);
});
