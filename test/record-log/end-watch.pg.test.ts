import { setImmediate as turn } from "node:timers/promises";

import type { Pool, QueryConfig } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { EndWatch } from "../../connectors/postgres/record-log/end-watch.ts";
import { migrations, PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { databaseOfTest } from "../support/database.ts";
import { appendOf, recordOf } from "./records.ts";

/** A watch whose questions are asked at once, and answered when `answer` is called. */
async function heldWatch() {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "end-watch" });
  await migrate(pool, migrations);
  const questions: PromiseWithResolvers<void>[] = [];
  const asking = {
    query: async (query: QueryConfig) => {
      const held = Promise.withResolvers<void>();
      questions.push(held);
      const found = await pool.query(query);
      await held.promise;
      return found;
    },
  } as unknown as Pool;
  const watch = new EndWatch({
    pool: asking,
    listen: pool.options,
    metrics: noMetrics,
    pollIntervalMs: 600_000,
    reconnectDelayMs: 10,
    reconnectDelayMaxMs: 10,
  });
  const log = new PostgresRecordLog({ pool });
  onTestFinished(async () => {
    for (const held of questions) held.resolve();
    await watch[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
    await pool.end();
  });
  const answer = async (index: number) => {
    await expect.poll(() => questions.length).toBeGreaterThan(index);
    questions[index]?.resolve();
  };
  return { watch, log, questions, answer };
}

test("a reader that begins to wait while others' ends are asked for is not woken by their answer", async () => {
  const { watch, log, questions, answer } = await heldWatch();
  for (const name of ["one", "other"]) {
    await log.ensureTopic({ name, partitions: 1 });
    await log.append([appendOf(name, 0, [recordOf(name)])]);
  }
  const woken: number[] = [];
  const stop = new AbortController();
  const wait = async (topic: number, at: number) => {
    await watch.wait(topic, new Map([[0, at]]), stop.signal);
    woken.push(topic);
  };
  const first = wait(1, 0);
  await expect.poll(() => questions.length).toBe(1);
  const second = wait(2, 1);
  await answer(0);
  await first;
  await answer(1);
  await turn();
  expect(woken).toEqual([1]);
  stop.abort();
  await second;
});
