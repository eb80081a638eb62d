import { setTimeout as wait } from "node:timers/promises";

import type { Pool } from "pg";

import { PostgresReadModelSnapshots } from "../connectors/postgres/index.ts";
import {
  FollowedReadModelStore,
  RedisConnection,
  RedisReadModelStore,
} from "../connectors/redis/index.ts";
import type { Clock } from "../engine/ports/clock.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import type { Generation, ReadModelStore } from "../engine/ports/read-model-store.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { seatBoard } from "./_seat-board.ts";

export interface FollowInRedis {
  readonly pool: Pool;
  readonly primary: ReadModelStore;
  readonly clock: Clock;
  /** As the store's option of this name. */
  readonly follows?: "at-claim" | "when-asked";
}

/** A store that a redis-server of the benchmark's own follows. */
export async function followInRedis({ follows = "at-claim", ...on }: FollowInRedis) {
  const server = await startRedis();
  const redis = new RedisConnection({ url: server.url, name: "benchmark" });
  await redis.connectedWithin(5_000);
  const store = new RedisReadModelStore({ redis, generations: on.primary });
  const followed = new FollowedReadModelStore({
    redis,
    store,
    snapshots: new PostgresReadModelSnapshots({ pool: on.pool }),
    clock: on.clock,
    metrics: noMetrics,
    report: (message) => console.error(message),
    primary: on.primary,
    models: [readModelOf(seatBoard)],
    follows,
  });
  const offsets = async (of: ReadModelStore, generation: Generation): Promise<string> => {
    return (await of.positions(generation)).map(({ position }) => position?.nextOffset).join(" ");
  };
  return {
    store,
    followed,
    /** Resolves when Redis stands where the store does. */
    async reached(generation: Generation): Promise<void> {
      const primary = await offsets(on.primary, generation);
      while ((await offsets(store, generation)) !== primary) await wait(5);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await followed[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
