import type { Pool, PoolClient } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { changeDeadlines } from "../../connectors/postgres/deadlines/change-deadlines.ts";
import { PostgresDeadlines } from "../../connectors/postgres/deadlines/index.ts";
import { requestEffects } from "../../connectors/postgres/effect-ledger/index.ts";
import { appendWithin } from "../../connectors/postgres/event-store/append-within.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/index.ts";
import { callFunctions, type FunctionCall } from "../../connectors/postgres/function-call.ts";
import type { NewEffect } from "../../engine/ports/effect-ledger.ts";
import type { AppendVerdict } from "../../engine/ports/event-store.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { effect, requestWith, setDeadline, unique } from "../conformance/alongside-subject.ts";
import { command } from "../event-store/events.ts";
import { until } from "../engine/process.ts";
import { storesDatabase } from "./postgres-stores.ts";

async function poolOfTest(): Promise<Pool> {
  const resources = new AsyncDisposableStack();
  onTestFinished(() => resources.disposeAsync());
  const { pool } = resources.use(await storesDatabase());
  return pool;
}

async function callOnce(pool: Pool, call: FunctionCall | undefined): Promise<void> {
  if (call === undefined) return;
  const client = await pool.connect();
  try {
    await callFunctions(client, [call]);
  } finally {
    client.release();
  }
}

const name = "due";
const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);

test("whoever sets and cancels the same deadlines, and settles them, waits in one order", async () => {
  const pool = await poolOfTest();
  const deadlines = new PostgresDeadlines({ pool });
  const random = new SeededRandom(7);
  const shuffled = () =>
    keys.map((key) => ({ key, at: random.next() })).toSorted((a, b) => a.at - b.at);
  const change = () =>
    callOnce(
      pool,
      changeDeadlines(
        shuffled().map(({ key, at }) => ({
          part: at < 0.5 ? { change: "cancel", name, key } : setDeadline(name, key, 1),
          request: 1,
        })),
      ),
    );
  const settle = () => deadlines.settle(shuffled().map(({ key }) => ({ name, key, atMs: 1 })));
  const work = async (step: () => Promise<void>) => {
    for (let round = 0; round < 60; round += 1) await step();
  };
  // A deadlock is an error in one of them.
  await Promise.all([work(change), work(change), work(change), work(settle)]);
});

/** Asks for an effect in a transaction that stays open, as a flush does before it appends. */
async function askWithin(flush: PoolClient, wanted: NewEffect): Promise<void> {
  await flush.query("begin");
  const request = requestEffects([{ part: wanted, request: 1 }]);
  await callFunctions(flush, request ? [request] : []);
}

/** It takes the row of the lane that every request of this file appends to. */
async function appendAndCommit(flush: PoolClient): Promise<AppendVerdict[]> {
  const verdicts = await appendWithin(flush, [requestWith({})], { as: "processor" });
  await flush.query("commit");
  return verdicts;
}

test("a command and a flush that wait for each other are both appended in the end", async () => {
  const pool = await poolOfTest();
  const store = new PostgresEventStore({ pool });
  const wanted = effect({ key: unique("shared") });
  const flush = await pool.connect();
  onTestFinished(() => flush.release());
  await askWithin(flush, wanted);
  const { tag: _, ...commanded } = requestWith({ effects: [wanted] });
  const appending = store.append(commanded, command);
  await until("the command waits for the flush's effect", async () => {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database()
         and wait_event_type = 'Lock' and wait_event = 'transactionid'`,
    );
    return rows.length > 0;
  });
  // The server looks for a deadlock once in each wait, after a second of it. Whoever finds it gives
  // way: the command, or the flush where it came later than that. A flush is then made anew.
  const flushed = appendAndCommit(flush).catch(async (error: unknown) => {
    expect(error).toHaveProperty("code", "40P01");
    await flush.query("rollback");
    await askWithin(flush, wanted);
    return appendAndCommit(flush);
  });
  const [verdicts, verdict] = await Promise.all([flushed, appending]);
  expect([...verdicts, verdict].map(({ outcome }) => outcome)).toEqual(["appended", "appended"]);
  const { rows } = await pool.query("select key from refold.effects");
  expect(rows).toEqual([{ key: wanted.key }]);
});
