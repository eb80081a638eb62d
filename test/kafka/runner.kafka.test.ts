import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresReadModelStore,
} from "../../connectors/postgres/index.ts";
import { digestsOf } from "../../engine/digest.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/index.ts";
import { until } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";
import { board, counters, history } from "../engine/seats.ts";
import { databaseOfTest } from "../support/database.ts";
import { TestBroker } from "../support/kafka-broker.ts";
import { clusterOfTest, logOfTest } from "./cluster-of-test.ts";
import { runBoardOnKafka } from "./runner-on-kafka.ts";

interface Stage {
  readonly url: string;
  readonly pool: Pool;
  readonly broker: TestBroker;
  readonly journal: Journal;
}

async function stage(): Promise<Stage> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "kafka runner test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const broker = await TestBroker.start();
  onTestFinished(() => broker[Symbol.asyncDispose]());
  const log = logOfTest({}, clusterOfTest({ brokers: [broker.address] }));
  const journal = new Journal({ log, codec: await countersCodec() });
  await journal.open(counters);
  return { url, pool, broker, journal };
}

async function workerOn({ url, broker }: Stage): Promise<ChildProcess> {
  const program = new URL("./runner-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, url, broker.address], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

const owned = (runner: Runner): number => runner.reports().length;

async function applied(pool: Pool, count: number): Promise<boolean> {
  const store = new PostgresReadModelStore({ pool });
  const standing = await store.positions(await store.open(readModelOf(board)));
  const done = standing.reduce((sum, { position }) => sum + Number(position?.nextOffset ?? 0), 0);
  return done >= count;
}

/** Rows as a fold of its own has them, their digests, and no record counted twice. */
async function assertExact(pool: Pool, events: readonly GivenEvent[]): Promise<void> {
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(readModelOf(board));
  const rows: { key: string; row: Readonly<Record<string, unknown>> }[] = [];
  for await (const page of store.scan(generation)) rows.push(...page);
  expect(new Map(rows.map(({ key, row }) => [key, row]))).toEqual(foldAll(board, events));
  const counted = digestsOf(board.row, rows);
  expect(await store.digests(generation)).toEqual(new Map([...counted].sort(([a], [b]) => a - b)));
  const { rows: sums } = await pool.query<{ sum: string }>(
    "select sum(records)::text as sum from refold.positions where consumer = 'board'",
  );
  expect(sums[0]?.sum).toBe(String(events.length));
}

const events = history(Array.from({ length: 3_000 }, (_, at) => (at * 7919) % 10_007));

test("a worker killed under load leaves its partitions to the other, nothing lost or doubled", async () => {
  const on = await stage();
  const child = await workerOn(on);
  await using staying = await runBoardOnKafka(on.pool, on.broker.address);
  await until("both have a share", () => owned(staying.runner) === 2, 10_000);
  for (let at = 0; at < events.length; at += 100) {
    await on.journal.append(counters, events.slice(at, at + 100));
    // In the middle of its work: its last flush may or may not be committed.
    if (at === 1_000) child.kill("SIGKILL");
  }
  const killedAt = performance.now();
  await until("all partitions are here", () => owned(staying.runner) === 4, 10_000);
  await until("everything is applied", () => applied(on.pool, events.length), 10_000);
  expect(performance.now() - killedAt).toBeLessThan(10_000);
  await assertExact(on.pool, events);
});

test("a worker goes on by itself when the broker has been killed and started again", async () => {
  const on = await stage();
  await using running = await runBoardOnKafka(on.pool, on.broker.address);
  await on.journal.append(counters, events.slice(0, 1_500));
  await until("some of it is applied", () => applied(on.pool, 500), 10_000);
  await on.broker.kill();
  await on.broker.startAgain();
  await on.journal.append(counters, events.slice(1_500));
  await until("everything is applied", () => applied(on.pool, events.length), 40_000);
  expect(owned(running.runner)).toBe(4);
  expect(running.runner.reports().map(({ state }) => state)).toEqual(Array(4).fill("running"));
  await assertExact(on.pool, events);
});
