import type { Pool } from "pg";

import { PostgresReadModelSnapshots } from "../../connectors/postgres/read-model-store/index.ts";
import {
  heldPositions,
  RedisConnection,
  RedisReadModelReader,
  RedisReadModelStore,
} from "../../connectors/redis/index.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import type { ClientTls } from "../tls/client-tls.ts";
import type { RedisFacts, RedisProjectionFacts } from "./redis-report.ts";

/** Who only looks doesn't wait long. */
const connectMs = 2_000;

export interface RedisSources {
  /** undefined: no Redis is named. */
  readonly url: string | undefined;
  readonly tls: ClientTls | undefined;
  readonly pool: Pool;
  readonly readModelStore: ReadModelStore;
  readonly projections: readonly AnyProjection[];
}

/** Reads where Redis stands, without changing anything there; undefined where there is none. */
export async function gatherRedis(sources: RedisSources): Promise<RedisFacts | undefined> {
  const projections = sources.projections.filter(({ stores = [] }) => stores.includes("redis"));
  if (sources.url === undefined || projections.length === 0) return undefined;
  const { url, tls } = sources;
  await using redis = new RedisConnection({ url, name: "status", ...(tls ? { tls } : {}) });
  if (!(await redis.connectedWithin(connectMs))) {
    const why = redis.fault ?? `no answer within ${connectMs} ms`;
    const fault = `it can't be reached (${why}); queries are answered from Postgres`;
    return { fault, projections: [] };
  }
  const { pool, readModelStore: generations } = sources;
  const store = new RedisReadModelStore({ redis, generations });
  const snapshots = new PostgresReadModelSnapshots({ pool });
  const serving = (projection: string) => snapshots.serving(projection);
  const reader = new RedisReadModelReader({ redis, store, serving });
  const look = async (projection: AnyProjection): Promise<RedisProjectionFacts> => {
    const { name, version } = projection;
    try {
      const generation = await serving(name);
      if (generation?.version !== version) return { name, fault: notBuilt(version) };
      store.adopt(generation, readModelOf(projection));
      const { positions, cold } = await heldPositions(reader, name);
      return { name, positions, cold };
    } catch (error) {
      return { name, fault: error instanceof Error ? error.message : String(error) };
    }
  };
  return { fault: undefined, projections: await Promise.all(projections.map(look)) };
}

const notBuilt = (version: number): string => `no generation of version ${version} serves`;
