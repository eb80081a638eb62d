import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { Pool } from "pg";

import { PostgresAssignment, PostgresReadModelStore } from "../connectors/postgres/index.ts";
import type { AnyRow } from "../engine/columns.ts";
import type { Clock } from "../engine/ports/clock.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { Generation, ReadModelStore } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { run } from "../engine/runner/run.ts";
import type { Runner } from "../engine/runner/runner.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { moduleEvents } from "../schemas/topics.ts";
import { followInRedis } from "./_redis.ts";
import { seatBoard, seatBoardOn } from "./_seat-board.ts";
import { assertRow, type SeatEvents } from "./_seat-events.ts";

export const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

/** A log with a history in it. */
export interface Filled {
  readonly log: RecordLog;
  readonly codec: EventCodec;
  /** What the log holds, all of it. */
  readonly history: SeatEvents;
}

/**
 * What the time counts to, and whose rows are compared. Redis follows what Postgres has committed, so
 * with Redis, a server of its own that is empty at first, Postgres takes every row before it.
 */
export type ReadModelPlace = "Postgres" | "Postgres and Redis" | "Redis";

export interface CatchUp extends Filled {
  readonly pool: Pool;
  readonly into: ReadModelPlace;
  /** Default: the seat board alone. Redis follows the seat board. */
  readonly projections?: readonly (typeof seatBoard)[];
}

export interface CaughtUp {
  readonly seconds: number;
  /** Until Postgres alone had all rows. */
  readonly postgresSeconds: number;
  /** Processor time of this process, in microseconds. */
  readonly processorUs: number;
  /** Largest resident memory of this process, in MB. */
  readonly peakMb: number;
}

/** Folds the whole log through the runner as a process has it, and compares every row. */
export async function catchUp(given: CatchUp): Promise<CaughtUp> {
  const { pool, log, codec, history, into, projections = [seatBoard] } = given;
  const store = new PostgresReadModelStore({ pool });
  await using following =
    into === "Postgres" ? undefined : await followInRedis({ pool, primary: store, clock });
  const cpu = process.cpuUsage();
  const began = performance.now();
  const runner = await run({
    projections,
    log,
    readModels: following?.followed ?? store,
    assignment: new PostgresAssignment({ pool }),
    codec,
    clock,
    random: { next: () => Math.random(), id: () => randomUUID() },
  });
  const peakMb = await applied(runner, history.made * projections.length);
  const postgresSeconds = (performance.now() - began) / 1_000;
  await following?.reached(await store.open(readModelOf(seatBoard)));
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await runner.stop();
  if (into !== "Redis") await assertCaughtUp(store, history, projections);
  if (following) await assertCaughtUp(following.store, history, projections);
  return { seconds, postgresSeconds, processorUs: user + system, peakMb };
}

/**
 * The whole catch-up once, unmeasured and on a read model of its own: what is measured after it is
 * what a process does that has compiled its code, not the seconds in which it compiles.
 */
export async function warmUp({ pool, ...filled }: Filled & { readonly pool: Pool }): Promise<void> {
  await catchUp({ ...filled, pool, into: "Postgres", projections: [warmUpBoard] });
}

const warmUpBoard = seatBoardOn(moduleEvents, "warm-up");

/** Page by page: a second copy of millions of rows would be what the memory goes to. */
export async function assertCaughtUp(
  store: ReadModelStore,
  { expected }: SeatEvents,
  projections: readonly (typeof seatBoard)[],
): Promise<void> {
  for (const projection of projections) {
    let seen = 0;
    for await (const page of store.scan(await store.open(readModelOf(projection)))) {
      for (const { key, row } of page) assertRow(key, row, expected.get(key));
      seen += page.length;
    }
    if (seen !== expected.size) throw new Error(`${seen} rows instead of ${expected.size}.`);
  }
}

/** Waits until all events are durable; gives the largest resident memory seen, in MB. */
async function applied(runner: Runner, total: number): Promise<number> {
  let peak = 0;
  for (;;) {
    peak = Math.max(peak, process.memoryUsage.rss());
    const reports = runner.reports();
    const halted = reports.find(({ reason }) => reason !== undefined);
    if (halted) throw new Error(halted.reason);
    const done = reports.reduce((sum, { nextOffset }) => sum + Number(nextOffset), 0);
    if (done >= total) return Math.round(peak / 1024 / 1024);
    await wait(10);
  }
}

export async function rowsOf(
  store: ReadModelStore,
  generation: Generation,
): Promise<Map<string, AnyRow>> {
  const rows = new Map<string, AnyRow>();
  for await (const page of store.scan(generation)) {
    for (const { key, row } of page) rows.set(key, row);
  }
  return rows;
}
