import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import type { Pool } from "pg";
import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresReadModelStore,
  PostgresRecordLog,
} from "../../connectors/postgres/index.ts";
import { digestsOf } from "../../engine/digest.ts";
import type { Runner } from "../../engine/runner/runner.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/index.ts";
import { databaseOfTest } from "../support/database.ts";
import { until } from "./process.ts";
import { countersCodec, runBoard } from "./runner-on-postgres.ts";
import { board, counters, history } from "./seats.ts";

async function stage(): Promise<{ url: string; pool: Pool; journal: Journal }> {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "takeover test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const log = new PostgresRecordLog({ pool });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const journal = new Journal({ log, codec: await countersCodec() });
  await journal.open(counters);
  return { url, pool, journal };
}

async function childOn(url: string): Promise<ChildProcess> {
  const program = new URL("./runner-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

const owned = (runner: Runner): number[] => runner.reports().map(({ partition }) => partition);

async function applied(pool: Pool, events: readonly GivenEvent[]): Promise<boolean> {
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(readModelOf(board));
  const standing = await store.positions(generation);
  const done = standing.reduce((sum, { position }) => sum + Number(position?.nextOffset ?? 0), 0);
  return done === events.length;
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

const events = history(Array.from({ length: 1_500 }, (_, at) => (at * 7919) % 10_007));

test("a killed process' partitions go to the other, and nothing is lost or doubled", async () => {
  const { url, pool, journal } = await stage();
  const child = await childOn(url);
  await using staying = await runBoard(pool);
  await until("both have a share", () => owned(staying.runner).length === 2, 10_000);
  for (let at = 0; at < events.length; at += 100) {
    await journal.append(counters, events.slice(at, at + 100));
    // In the middle of its work: its last flush may or may not be committed.
    if (at === 700) child.kill("SIGKILL");
  }
  await until("all partitions are here", () => owned(staying.runner).length === 4, 10_000);
  await until("everything is applied", () => applied(pool, events), 10_000);
  await assertExact(pool, events);
});

test("a partition that somebody else has claimed comes back while its lease is ours", async () => {
  const { pool, journal } = await stage();
  await using running = await runBoard(pool);
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(readModelOf(board));
  for (let at = 0; at < events.length; at += 300) {
    await journal.append(counters, events.slice(at, at + 300));
    await store.claim(generation, [{ topic: counters.name, partition: (at / 300) % 4 }]);
  }
  await until("everything is applied", () => applied(pool, events), 10_000);
  expect(new Set(owned(running.runner))).toEqual(new Set([0, 1, 2, 3]));
  await assertExact(pool, events);
});
