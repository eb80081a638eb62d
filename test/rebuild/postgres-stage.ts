import { onTestFinished } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresAssignment,
} from "../../connectors/postgres/index.ts";
import type { AnyRow } from "../../engine/columns.ts";
import { run } from "../../engine/runner/run.ts";
import type { GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/journal.ts";
import { realClock, until } from "../engine/process.ts";
import { board, changes, counters, history } from "../engine/seats.ts";
import { beside } from "../support/beside.ts";
import { databaseOfTest } from "../support/database.ts";
import { environmentOnPostgres } from "./postgres-environment.ts";

const numbers = Array.from({ length: 400 }, (_, at) => (at * 7919) % 1009);

/** A migrated database with a history and a worker on it, and what a conductor needs. */
export async function opened() {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "rebuild test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const { environment, statusBoard } = await environmentOnPostgres({ pool, url });
  const { log, codec } = environment;
  onTestFinished(() => log[Symbol.asyncDispose]());
  const journal = new Journal({ log, codec });
  for (const topic of [counters, changes]) await journal.open(topic);
  const events: GivenEvent[] = [];
  const append = async (some: readonly GivenEvent[]): Promise<void> => {
    events.push(...some);
    await journal.append(counters, some);
  };
  await append(history(numbers));
  const runner = await run({
    ...environment,
    limits: {},
    projections: [board],
    assignment: new PostgresAssignment({ pool, leaseMs: 3_000, heartbeatMs: 100 }),
    statusBoard,
    observeIntervalMs: 50,
  });
  onTestFinished(() => runner[Symbol.asyncDispose]());
  await until("it is worked on", () =>
    environment.isWorkedOn({ projection: "board", generation: 1 }),
  );
  return { environment, pool, url, append, events };
}

export type Opened = Awaited<ReturnType<typeof opened>>;

/** A generation's rows, once it has all that the log holds. */
export async function rowsWhenCaughtUp({ environment }: Opened, generation: number) {
  const { readModels, log } = environment;
  const of = { projection: "board", generation, version: 1, serving: true };
  await until(`generation ${generation} has everything`, async () => {
    const bounds = await log.bounds("counters");
    const positions = await readModels.positions(of);
    return positions.every(
      ({ partition, position }) => (position?.nextOffset ?? 0n) >= (bounds[partition]?.end ?? 0n),
    );
  });
  const rows = new Map<string, AnyRow>();
  for await (const page of readModels.scan(of)) for (const { key, row } of page) rows.set(key, row);
  return rows;
}

export async function start({ environment }: Opened, accept: boolean): Promise<bigint> {
  const started = await environment.rebuilds.start({
    projection: "board",
    version: 1,
    from: { kind: "earliest" },
    accept,
    lagBudgetMs: 2_000,
    keepMs: 3_600_000,
    by: "test",
    reason: undefined,
  });
  if (started.outcome !== "started") throw new Error(started.outcome);
  return started.record.id;
}

/** Appends until it is ended. */
export function traffic({ append }: Opened, pauseMs = 10): () => Promise<void> {
  return beside(async (ended) => {
    for (let at = 0; !ended.aborted; at += 1) {
      await append(history(numbers.slice(at % 300, (at % 300) + 10)));
      await realClock.sleep(pauseMs);
    }
  });
}
