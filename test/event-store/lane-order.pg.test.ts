import type { Pool, PoolClient } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { appendWithin } from "../../connectors/postgres/event-store/append-within.ts";
import type { AppendVerdict } from "../../engine/ports/event-store.ts";
import { until } from "../engine/process.ts";
import { command, event } from "./events.ts";
import { poolOfTest } from "./store.ts";

/** Appends an event to each partition, in a transaction that stays open. */
async function appendOpen(pool: Pool, partitions: readonly number[]) {
  const client = await pool.connect();
  onTestFinished(() => client.release());
  await client.query("begin");
  // No tags: lanes are all that the appends meet in.
  const events = partitions.map((partition) => event("A", [], { partition }));
  return { client, verdicts: appendWithin(client, [{ events, condition: [] }], command) };
}

async function commit(client: PoolClient, verdicts: Promise<AppendVerdict[]>): Promise<string> {
  const [verdict] = await verdicts;
  await client.query("commit");
  return verdict?.outcome ?? "none";
}

const untilWaiting = (pool: Pool, count: number): Promise<void> =>
  until(`${count} appends wait for a lane`, async () => {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database()
         and wait_event_type = 'Lock' and wait_event = 'transactionid'`,
    );
    return rows.length === count;
  });

test("appends that make lanes and appends that find some of them wait in one order", async () => {
  const pool = await poolOfTest();
  const second = await appendOpen(pool, [1]);
  await second.verdicts;
  // Makes the first lane, then waits for the second.
  const all = await appendOpen(pool, [0, 1, 2]);
  await untilWaiting(pool, 1);
  const third = await appendOpen(pool, [2]);
  await commit(third.client, third.verdicts);
  // Finds the third lane, and waits for the first.
  const outer = await appendOpen(pool, [0, 2]);
  await untilWaiting(pool, 2);

  const outcomes = Promise.all([
    commit(all.client, all.verdicts),
    commit(outer.client, outer.verdicts),
  ]);
  await commit(second.client, second.verdicts);
  expect(await outcomes).toEqual(["appended", "appended"]);
});
