import { expect, onTestFinished, test } from "vitest";

import {
  engineMigrations,
  makePool,
  migrate,
  PostgresAssignment,
  PostgresComparisons,
  PostgresDeadLetters,
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRebuilds,
  PostgresRecordLog,
  PostgresSnapshots,
  PostgresStatusBoard,
} from "../../connectors/postgres/index.ts";
import type { AnyRow } from "../../engine/columns.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import type { RebuildEnvironment } from "../../engine/rebuild/options.ts";
import { sweep } from "../../engine/rebuild/sweep.ts";
import { workedOnByBoard } from "../../engine/rebuild/worked-on.ts";
import { run } from "../../engine/runner/run.ts";
import { foldAll, type GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/journal.ts";
import { realClock, realRandom, until } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";
import { board, changes, counters, history } from "../engine/seats.ts";
import { databaseOfTest } from "../support/database.ts";

const numbers = Array.from({ length: 400 }, (_, at) => (at * 7919) % 1009);
const { signal } = new AbortController();

/** A migrated database with a worker on it, and what a conductor needs. */
async function opened() {
  const url = await databaseOfTest();
  const pool = makePool({ url, name: "rebuild test" });
  onTestFinished(() => pool.end());
  await migrate(pool, engineMigrations());
  const log = new PostgresRecordLog({ pool });
  onTestFinished(() => log[Symbol.asyncDispose]());
  const codec = await countersCodec();
  const statusBoard = new PostgresStatusBoard({ pool });
  const stores = {
    log,
    readModels: new PostgresReadModelStore({ pool }),
    generations: new PostgresGenerations({ pool, listenUrl: url }),
    rebuilds: new PostgresRebuilds({ pool }),
    comparisons: new PostgresComparisons({ pool }),
    snapshots: new PostgresSnapshots({ pool }),
    deadLetters: new PostgresDeadLetters({ pool }),
  };
  const shared = { ...stores, codec, clock: realClock, random: realRandom };
  const isWorkedOn = workedOnByBoard({ board: statusBoard, clock: realClock, silentMs: 10_000 });
  const environment: RebuildEnvironment = {
    ...shared,
    instance: realRandom.id(),
    codeVersion: "test",
    isWorkedOn,
    limits: { closeRecordsMax: 20, fetchBytesMax: 4_096, followMs: 50 },
  };
  const journal = new Journal({ log, codec });
  for (const topic of [counters, changes]) await journal.open(topic);
  const assignment = new PostgresAssignment({ pool, leaseMs: 3_000, heartbeatMs: 100 });
  const projections = [board];
  const events: GivenEvent[] = [];
  const append = async (some: readonly GivenEvent[]): Promise<void> => {
    events.push(...some);
    await journal.append(counters, some);
  };
  await append(history(numbers));
  const runner = await run({
    ...shared,
    projections,
    assignment,
    statusBoard,
    observeIntervalMs: 50,
  });
  onTestFinished(() => runner[Symbol.asyncDispose]());
  await until("it is worked on", () => isWorkedOn({ projection: "board", generation: 1 }));
  return { environment, pool, append, events };
}

type Opened = Awaited<ReturnType<typeof opened>>;

async function rowsWhenCaughtUp({ environment }: Opened, generation: number) {
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

async function start({ environment }: Opened, accept: boolean): Promise<bigint> {
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
function traffic({ append }: Opened) {
  const ending = new AbortController();
  const written = (async () => {
    for (let at = 0; !ending.signal.aborted; at += 1) {
      await append(history(numbers.slice(at % 300, (at % 300) + 10)));
      await realClock.sleep(10);
    }
  })();
  return async (): Promise<void> => {
    ending.abort();
    await written;
  };
}

const conduct = ({ environment }: Opened, id: bigint): Promise<RebuildRecord | undefined> =>
  new Conductor({ environment, projection: board }).conduct(id, signal);

test("a read model in Postgres is rebuilt, swapped and brought back under live writes", async () => {
  const system = await opened();
  const endTraffic = traffic(system);
  const id = await start(system, false);
  const record = await conduct(system, id);
  expect(record).toMatchObject({ state: "swapped", failure: undefined, shadow: 2 });
  expect(record?.proof).toMatchObject({ changed: 0, added: 0, removed: 0, recount: "equal" });
  expect(record?.proof?.heldMs).toBeGreaterThan(0);
  await realClock.sleep(300);
  expect(await system.environment.rebuilds.wish(id, "undo")).toBe(true);
  expect(await conduct(system, id)).toMatchObject({ state: "undone", failure: undefined });
  await endTraffic();
  expect(await rowsWhenCaughtUp(system, 1)).toEqual(foldAll(board, system.events));
  const swept = await sweep(system.environment, signal);
  expect(swept.removed).toMatchObject([{ generation: 2 }]);
  expect(await system.environment.generations.list("board")).toMatchObject([{ generation: 1 }]);
});

test("a row that was planted in Postgres by hand is found, and gone after it is accepted", async () => {
  const system = await opened();
  const { pool, environment, events } = system;
  await rowsWhenCaughtUp(system, 1);
  await pool.query(`update read."board__g1" set held = 4711 where key = 'a'`);
  const id = await start(system, false);
  const conducting = conduct(system, id);
  await until(
    "it is proved",
    async () => (await environment.rebuilds.find(id))?.state === "proved",
  );
  const proof = (await environment.rebuilds.find(id))?.proof;
  expect(proof).toMatchObject({ changed: 1, added: 0, removed: 0 });
  expect(proof?.fields[0]).toMatchObject({ field: "held", samples: [{ key: "a", live: "4711" }] });
  await environment.rebuilds.wish(id, "run", { accept: true });
  expect(await conducting).toMatchObject({ state: "swapped" });
  expect(await rowsWhenCaughtUp(system, 2)).toEqual(foldAll(board, events));
});
