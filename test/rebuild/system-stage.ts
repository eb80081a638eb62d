import { onTestFinished } from "vitest";

import { startConsumers } from "../../bin/system/consumers.ts";
import { application } from "../../bin/system/definitions.ts";
import { rebuildEnvironment } from "../../bin/system/rebuilds.ts";
import { openStores } from "../../bin/system/stores.ts";
import { embeddedServers, type Servers } from "../../bin/servers.ts";
import type { AnyRow } from "../../engine/columns.ts";
import { type Metrics, noMetrics } from "../../engine/ports/metrics.ts";
import type { RebuildRecord, RebuildRequest } from "../../engine/ports/rebuilds.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import type { RebuildCrashPoint } from "../../engine/rebuild/crash-points.ts";
import type { RebuildEnvironment, RebuildLimits } from "../../engine/rebuild/options.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import type { GivenEvent } from "../../engine/testing/given.ts";
import { Journal } from "../../engine/testing/journal.ts";
import { until } from "../engine/process.ts";
import { countersCodec } from "../engine/runner-on-postgres.ts";
import { board, changes, counters } from "../engine/seats.ts";
import { databaseOfTest } from "../support/database.ts";

/** Small steps, so that a short history has many of them. */
const limits: Partial<RebuildLimits> = {
  leaseMs: 1_000,
  closeRecordsMax: 20,
  fetchBytesMax: 4_096,
  followMs: 50,
};

const { signal } = new AbortController();

/** Recorded time of the first event; each later one is a second after the one before. */
export const firstMs = 1_700_000_000_000;

export interface StageOptions {
  /** What takes the place of embedded adapters. */
  readonly servers: Partial<Servers>;
  /** Of the name, columns and events of the board. */
  readonly projection?: typeof board;
  readonly metrics?: Metrics;
}

/** The system's own stores; its topics are counters', for one test. */
export async function openStage(options: StageOptions) {
  const { servers, projection = board, metrics = noMetrics } = options;
  const opened = await openStores({
    url: await databaseOfTest(),
    servers: { ...embeddedServers, ...servers },
    migrations: application.migrations,
    projections: [projection],
    name: "rebuild test",
    metrics,
    schema: "migrate",
    others: "possible",
    report: () => undefined,
  });
  onTestFinished(() => opened[Symbol.asyncDispose]());
  // The counters' schemas name no fields but their code.
  const stores = { ...opened, codec: await countersCodec() };
  const { log, codec } = stores;
  const journal = new Journal({ log, codec, startMs: firstMs });
  for (const topic of [counters, changes]) await journal.open(topic);
  const events: GivenEvent[] = [];
  return {
    stores,
    journal,
    events,
    projection,
    append: async (some: readonly GivenEvent[]): Promise<void> => {
      events.push(...some);
      await journal.append(counters, some);
    },
  };
}

export type SystemStage = Awaited<ReturnType<typeof openStage>>;

/** A process that works on what serves and what is kept. */
export async function work({ stores, projection }: SystemStage): Promise<AsyncDisposable> {
  const definitions = { ...application, projections: [projection], processors: [] };
  const part = { definitions, stores, metrics: noMetrics, report: () => undefined };
  const consumers = await startConsumers(part);
  onTestFinished(() => consumers[Symbol.asyncDispose]());
  return consumers;
}

/** Calls back at a boundary, once; what it does is done before the conductor goes on. */
export interface Interruption {
  readonly point: RebuildCrashPoint;
  readonly meanwhile: () => Promise<unknown>;
}

/**
 * Conducts a rebuild; where it is interrupted, the conductor dies and another one goes on from what
 * is stored.
 */
export async function conduct(
  { stores, projection }: SystemStage,
  id: bigint,
  {
    over = {},
    ...interruption
  }: Partial<Interruption> & { readonly over?: Partial<RebuildEnvironment> } = {},
): Promise<RebuildRecord> {
  let interrupted = interruption.point === undefined;
  for (let tries = 0; ; tries += 1) {
    const shared = { stores, metrics: noMetrics, differencesFolder: "/tmp/none" };
    const environment = {
      ...rebuildEnvironment(shared),
      ...over,
      instance: `conductor-${tries}`,
      limits,
      probe: {
        at: (point: RebuildCrashPoint): void => {
          if (interrupted || point !== interruption.point) return;
          interrupted = true;
          throw new CrashSignal(point);
        },
      },
    };
    try {
      const record = await new Conductor({ environment, projection }).conduct(id, signal);
      if (record !== undefined) return record;
    } catch (error) {
      if (!(error instanceof CrashSignal)) throw error;
      await interruption.meanwhile?.();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function start(
  { stores }: SystemStage,
  over: Partial<RebuildRequest> = {},
): Promise<bigint> {
  const started = await stores.rebuilds.start({
    projection: board.name,
    version: board.version,
    from: { kind: "earliest" },
    accept: false,
    lagBudgetMs: 2_000,
    keepMs: 3_600_000,
    by: "test",
    reason: undefined,
    ...over,
  });
  if (started.outcome !== "started") throw new Error(started.outcome);
  return started.record.id;
}

export async function generationOf({ stores }: SystemStage, number: number) {
  const builds = await stores.generations.list(board.name);
  const found = builds.find(({ generation }) => generation === number);
  if (found === undefined) throw new Error(`There is no generation ${number}.`);
  return found;
}

/** Of a generation, once it has everything that the log holds now. */
export async function rowsWhenCaughtUp(stage: SystemStage, number: number) {
  const { readModelStore, log } = stage.stores;
  const of = { ...(await generationOf(stage, number)), serving: true };
  await until(
    `generation ${number} has everything`,
    async () => {
      const bounds = await log.bounds(counters.name);
      const positions = await readModelStore.positions(of);
      return positions.every(
        ({ partition, position }) => (position?.nextOffset ?? 0n) >= (bounds[partition]?.end ?? 0n),
      );
    },
    20_000,
  );
  const rows = new Map<string, AnyRow>();
  for await (const page of readModelStore.scan(of)) {
    for (const { key, row } of page) rows.set(key, row);
  }
  return rows;
}
