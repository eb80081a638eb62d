import { onTestFinished } from "vitest";

import {
  makePool,
  migrate,
  PostgresReadModelReader,
  PostgresReadModelSnapshots,
  PostgresReadModelStore,
  engineMigrations,
} from "../../connectors/postgres/index.ts";
import {
  FollowedReadModelStore,
  PreferringReader,
  RedisConnection,
  RedisReadModelReader,
  RedisReadModelStore,
  RedisStanding,
} from "../../connectors/redis/index.ts";
import type { AnyRow } from "../../engine/columns.ts";
import { digestsOf } from "../../engine/digest.ts";
import type { Generation, ReadModel, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import { systemClock } from "../../bin/system-clock.ts";
import { PrometheusMetrics } from "../../connectors/prometheus/index.ts";
import { readModel, seatColumns } from "../conformance/store-samples.ts";
import { databaseOfTest } from "../support/database.ts";
import { startRedis } from "../support/redis-server.ts";
import { foldOf } from "./seat-writer.ts";

export const partitionCount = 4;

export interface FollowedOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly model: ReadModel;
  readonly deadlineMs?: number;
}

/** A worker's stores and a reader's, on one Postgres and one Redis. */
export async function openFollowed({ databaseUrl, redisUrl, model, ...rest }: FollowedOptions) {
  const pool = makePool({ url: databaseUrl, name: "redis test", connectionsMax: 6 });
  const { deadlineMs = 300 } = rest;
  const redis = new RedisConnection({ url: redisUrl, name: "test", deadlineMs });
  const primary = new PostgresReadModelStore({ pool });
  const primaryReader = new PostgresReadModelReader({ pool });
  const snapshots = new PostgresReadModelSnapshots({ pool, pageRows: 30 });
  const store = new RedisReadModelStore({ redis, generations: primary, scanPageRows: 50 });
  const reports: string[] = [];
  const metrics = new PrometheusMetrics({ onFault: (text) => reports.push(text) });
  const shared = { redis, store, snapshots, clock: systemClock, metrics };
  const followed = new FollowedReadModelStore({
    ...shared,
    primary,
    models: [model],
    report: (message) => reports.push(message),
    checkMs: 20,
    retryMs: 50,
  });
  const standing = new RedisStanding({
    ...shared,
    models: [model],
    primary: primaryReader,
    lookMs: 20,
  });
  const serving = (projection: string): Promise<Generation | undefined> =>
    standing.serving(projection);
  const redisReader = new RedisReadModelReader({ ...shared, serving });
  standing.start(redisReader);
  const reader = new PreferringReader({
    ...shared,
    standing,
    primary: primaryReader,
    redis: redisReader,
  });
  return {
    pool,
    redis,
    primary,
    store,
    followed,
    standing,
    redisReader,
    reader,
    reports,
    metrics,
    /** Ends it; what waits is written first where that is possible. */
    async [Symbol.asyncDispose](): Promise<void> {
      await standing[Symbol.asyncDispose]();
      await followed[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

export type Followed = Awaited<ReturnType<typeof openFollowed>>;

/** A migrated database and a Redis of the test's own. */
export async function serversOfTest() {
  const databaseUrl = await databaseOfTest();
  const pool = makePool({ url: databaseUrl, name: "redis test" });
  await migrate(pool, engineMigrations());
  await pool.end();
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const model = readModel();
  return { databaseUrl, server, redisUrl: server.url, model };
}

/** The same with stores on them, closed after the test. */
export async function followedOfTest(over: Pick<FollowedOptions, "deadlineMs"> = {}) {
  const servers = await serversOfTest();
  const followed = await openFollowed({ ...servers, ...over });
  onTestFinished(() => followed[Symbol.asyncDispose]());
  return { ...servers, ...followed };
}

/** Resolves when it holds; no sleep but between two looks. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`It never came: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function rowsOf(
  store: Pick<ReadModelStore, "scan">,
  generation: Generation,
): Promise<ReadonlyMap<string, AnyRow>> {
  const rows = new Map<string, AnyRow>();
  for await (const page of store.scan(generation))
    for (const { key, row } of page) rows.set(key, row);
  return rows;
}

/**
 * What a test ends with: Redis, Postgres and the independent fold have the same rows, positions are
 * equal, and Redis' digests are those of its rows and of Postgres. Gives the number of rows.
 */
export async function differences(
  { store, primary }: Pick<Followed, "store" | "primary">,
  generation: Generation,
): Promise<readonly string[]> {
  const positions = await primary.positions(generation);
  const expected = new Map<string, AnyRow>();
  for (const { partition, position } of positions) {
    for (const [key, row] of foldOf(partition, Number(position?.nextOffset ?? 0))) {
      expected.set(key, row);
    }
  }
  const inRedis = await rowsOf(store, generation);
  const counted = digestsOf(
    seatColumns,
    [...inRedis].map(([key, row]) => ({ key, row })),
  );
  const standing = (await store.positions(generation)).map(({ position }) => position);
  return [
    ...unequal("rows of Postgres", await rowsOf(primary, generation), expected),
    ...unequal("rows of Redis", inRedis, expected),
    ...unequal("digests of Redis", await store.digests(generation), counted),
    ...unequal("digests of Postgres", await primary.digests(generation), counted),
    ...unequal(
      "positions",
      standing,
      positions.map(({ position }) => position),
    ),
  ];
}

function unequal(what: string, one: unknown, other: unknown): string[] {
  const [a, b] = [textOf(one), textOf(other)];
  return a === b ? [] : [`${what}: ${a.slice(0, 200)} is not ${b.slice(0, 200)}`];
}

const textOf = (value: unknown): string =>
  JSON.stringify(value instanceof Map ? [...value].sort(byFirst) : value, (_, part: unknown) => {
    if (typeof part === "bigint") return String(part);
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(byFirst));
  });

const byFirst = ([a]: [unknown, unknown], [b]: [unknown, unknown]): number =>
  String(a) < String(b) ? -1 : 1;
