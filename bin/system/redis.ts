import type { Pool } from "pg";

import { PostgresReadModelSnapshots } from "../../connectors/postgres/read-model-store/index.ts";
import type { CopyHealth } from "../../api/index.ts";
import {
  behindMaxMsDefault,
  type FollowedPartitionHealth,
  FollowedReadModelStore,
  PreferringReader,
  RedisConnection,
  RedisReadModelReader,
  RedisReadModelStore,
  RedisStanding,
} from "../../connectors/redis/index.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import type { StopInTurn } from "../stop-in-turn.ts";
import { systemClock } from "../system-clock.ts";

/** How long a start waits for Redis to be there: it goes on without, and Redis comes later. */
const connectMs = 2_000;

export interface ReadModels {
  readonly readModelStore: ReadModelStore;
  readonly reader: ReadModelReader;
  /** How far an answer may be behind the store that commits first. */
  readonly behindMs: (projection: string) => number;
  /** How Redis stands with each projection that it has; empty where there is no Redis. */
  readonly copies: () => readonly CopyHealth[];
  /** How it follows the partitions that are owned here. */
  readonly following: () => readonly FollowedPartitionHealth[];
}

export interface RedisPart {
  /** undefined: there is no Redis. */
  readonly url: string | undefined;
  /** Those that name `redis` among their stores are kept there, too. */
  readonly projections: readonly AnyProjection[];
  readonly pool: Pool;
  readonly primary: Pick<ReadModels, "readModelStore" | "reader">;
  readonly name: string;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
  readonly stop: StopInTurn;
}

/**
 * Read models in Postgres, and in Redis where there is one: it follows what Postgres has committed,
 * and is asked first.
 *
 * @throws FatalError `redis-evicts` where Redis may throw keys away.
 */
export async function openReadModels(part: RedisPart): Promise<ReadModels> {
  const { url, pool, primary, metrics, report, stop } = part;
  const projections = part.projections.filter(({ stores = [] }) => stores.includes("redis"));
  if (url === undefined || projections.length === 0) {
    return { ...primary, behindMs: () => 0, copies: () => [], following: () => [] };
  }
  const redis = new RedisConnection({ url, name: part.name });
  stop.add("Redis", () => redis[Symbol.asyncDispose]());
  if (await redis.connectedWithin(connectMs)) await redis.assertKeepsKeys();
  else report("Redis can't be reached: queries are answered from Postgres until it can.");
  const store = new RedisReadModelStore({ redis, generations: primary.readModelStore });
  const snapshots = new PostgresReadModelSnapshots({ pool });
  const shared = { redis, store, snapshots, clock: systemClock, metrics };
  const models = projections.map(readModelOf);
  const readModelStore = new FollowedReadModelStore({
    ...shared,
    primary: primary.readModelStore,
    models,
    report,
  });
  stop.add("read models in Redis", () => readModelStore[Symbol.asyncDispose]());
  const standing = new RedisStanding({ ...shared, models, primary: primary.reader });
  stop.add("look after Redis", () => standing[Symbol.asyncDispose]());
  const serving = (projection: string) => standing.serving(projection);
  const inRedis = new RedisReadModelReader({ ...shared, serving });
  standing.start(inRedis);
  const reader = new PreferringReader({
    ...shared,
    redis: inRedis,
    primary: primary.reader,
    standing,
  });
  return {
    readModelStore,
    reader,
    behindMs: (projection) => reader.lagMs(projection),
    following: () => readModelStore.health(),
    copies: () =>
      projections.map(({ name }) => copyHealth(name, { standing, following: readModelStore })),
  };
}

interface Watched {
  readonly standing: Pick<RedisStanding, "stands">;
  readonly following: Pick<FollowedReadModelStore, "health">;
}

function copyHealth(projection: string, { standing, following }: Watched): CopyHealth {
  const { lagMs, behind, reason } = standing.stands(projection);
  const own = following.health().filter((one) => one.projection === projection);
  const isCurrent = lagMs <= behindMaxMsDefault;
  const failed = own.find((one) => one.reason !== undefined)?.reason;
  return {
    store: "redis",
    projection,
    state: isCurrent ? "current" : "behind",
    ageMs: Number.isFinite(lagMs) ? lagMs : undefined,
    partitionsBehind: behind,
    rowsWaiting: own.reduce((sum, { rowsWaiting }) => sum + rowsWaiting, 0),
    reason: reason ?? failed,
  };
}
