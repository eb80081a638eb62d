import { setImmediate as turn } from "node:timers/promises";

import type { Pool, QueryConfig } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { migrate } from "../../connectors/postgres/migrations.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { migrations, PostgresRecordLog } from "../../connectors/postgres/record-log/index.ts";
import { TailWatch } from "../../connectors/postgres/record-log/tail-watch.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { databaseOfTest } from "../support/database.ts";
import { until } from "../engine/process.ts";
import { appendOf, recordOf } from "./records.ts";

/** A watch whose questions are asked at once, and answered when `answer` is called. */
async function heldWatch() {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "end-watch" });
  await migrate(pool, migrations);
  const questions: PromiseWithResolvers<void>[] = [];
  let released = false;
  const release = () => {
    released = true;
  };
  const asking = {
    query: async (query: QueryConfig) => {
      const held = Promise.withResolvers<void>();
      questions.push(held);
      const found = await pool.query(query);
      if (!released) await held.promise;
      return found;
    },
  } as unknown as Pool;
  const clock = new ManualClock();
  const watch = new TailWatch({
    pool: asking,
    listen: pool.options,
    metrics: noMetrics,
    clock,
    pollIntervalMs: 600_000,
    reconnectDelayMs: 10,
    reconnectDelayMaxMs: 10,
    tailBytesMax: 1_048_576,
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
  return { watch, log, pool, questions, answer, release };
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
    const next = new Map([[0, at]]);
    await watch.wait({ topicNumber: topic, next, bytesMax: 1_000 }, stop.signal);
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

const end = new AbortController().signal;
const reading = (topicNumber: number, at: number) => ({
  topicNumber,
  next: new Map([[0, at]]),
  bytesMax: 1_000,
});

/** One topic with one record; the watch listens, and has looked at its end since. Looks are answered. */
async function watchAtItsEnd() {
  const held = await heldWatch();
  const { watch, log, pool, questions } = held;
  held.release();
  await log.ensureTopic({ name: "one", partitions: 1 });
  const append = (id: string) => log.append([appendOf("one", 0, [recordOf(id)])]);
  const first = watch.wait(reading(1, 0), end);
  await until("the watch listens", async () => {
    const listening = "select from pg_stat_activity where query like 'listen%' and state = 'idle'";
    return (await pool.query(`${listening} and datname = current_database()`)).rows.length > 0;
  });
  await append("first");
  return { watch, log, pool, questions, append, first: await first };
}

test("what came is handed to all readers by one look, and to one who comes after it by none", async () => {
  const { watch, append, questions, first } = await watchAtItsEnd();
  expect(first?.fetched).toMatchObject([{ partition: 0, nextOffset: 1n }]);
  const waiting = [watch.wait(reading(1, 1), end), watch.wait(reading(1, 1), end)];
  const before = questions.length;
  await append("second");
  const [one, other] = await Promise.all(waiting);
  expect(one?.fetched).toMatchObject([{ partition: 0, nextOffset: 2n }]);
  expect(other).toEqual(one);
  expect(questions.length).toBe(before + 1);
  expect(await watch.wait(reading(1, 1), end)).toEqual(one);
  expect(await watch.wait(reading(1, 0), end)).toMatchObject({ batches: 2 });
  expect(questions.length).toBe(before + 1);
});

test("a reader whose records aren't the tail is sent to fetch them", async () => {
  const { watch, log, append } = await watchAtItsEnd();
  const waiting = watch.wait(reading(1, 1), end);
  // More batches than a look brings.
  await log.append(
    Array.from({ length: 70 }, (_, i) => appendOf("one", 0, [recordOf(`many-${i}`)])),
  );
  expect(await waiting).toBeUndefined();
  const after = watch.wait(reading(1, 71), end);
  await append("later");
  expect(await after).toMatchObject({ batches: 1 });
});

test("a topic that is gone sends its reader to find out", async () => {
  const { watch, pool } = await watchAtItsEnd();
  const waiting = watch.wait(reading(1, 1), end);
  await pool.query("delete from refold.log_topics where topic_number = 1; notify refold_log");
  expect(await waiting).toBeUndefined();
});

test("a topic that was gone before anybody looked sends its reader to find out", async () => {
  const { watch, release } = await heldWatch();
  release();
  expect(await watch.wait(reading(7, 0), end)).toBeUndefined();
});
