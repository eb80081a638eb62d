import { PostgresReadModelSnapshots } from "../../connectors/postgres/read-model-store/index.ts";
import type { CopyHealth } from "../../api/index.ts";
import {
  behindMaxMsDefault,
  FollowedReadModelStore,
  PreferringReader,
  RedisConnection,
  RedisReadModelReader,
  RedisReadModelStore,
  RedisSecondStore,
  RedisStanding,
  sweepRedis,
} from "../../connectors/redis/index.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { systemClock } from "../system-clock.ts";
import type { ReadModels, ReadModelsPart } from "./open-read-models.ts";

/** How long a start waits for Redis to be there: it goes on without, and Redis comes later. */
const connectMs = 2_000;

/** @throws FatalError `redis-evicts` where Redis may throw keys away. */
export async function openRedisReadModels(
  part: ReadModelsPart & { readonly url: string },
): Promise<ReadModels> {
  const { url, tls, projections, report, stop } = part;
  const redis = new RedisConnection({ url, name: part.name, ...(tls ? { tls } : {}) });
  stop.add("Redis", () => redis[Symbol.asyncDispose]());
  if (await redis.connectedWithin(connectMs)) await redis.assertKeepsKeys();
  else {
    const why = redis.fault ?? `no answer within ${connectMs} ms`;
    report(`Redis can't be reached (${why}): queries are answered from Postgres until it can.`);
  }
  return followedInRedis(part, { redis, projections });
}

interface Followed {
  readonly redis: RedisConnection;
  readonly projections: readonly AnyProjection[];
}

function followedInRedis(part: ReadModelsPart, { redis, projections }: Followed): ReadModels {
  const { pool, primary, metrics, report, stop, generations } = part;
  const store = new RedisReadModelStore({ redis, generations: primary.readModelStore });
  const snapshots = new PostgresReadModelSnapshots({ pool });
  const models = projections.map(readModelOf);
  const shared = { redis, store, snapshots, models, clock: systemClock, metrics };
  const following = { ...shared, primary: primary.readModelStore, report };
  const readModelStore = new FollowedReadModelStore(following);
  stop.add("read models in Redis", () => readModelStore[Symbol.asyncDispose]());
  const shadowStore = new FollowedReadModelStore({ ...following, follows: "when-asked" });
  stop.add("shadows in Redis", () => shadowStore[Symbol.asyncDispose]());
  const turns = (signal: AbortSignal) => generations.turns(signal);
  const standing = new RedisStanding({ ...shared, primary: primary.reader, turns });
  stop.add("look after Redis", () => standing[Symbol.asyncDispose]());
  const serving = (projection: string) => standing.serving(projection);
  const inRedis = new RedisReadModelReader({ ...shared, serving });
  standing.start(inRedis);
  const both = { primary: primary.reader, standing };
  const reader = new PreferringReader({ ...shared, ...both, redis: inRedis });
  return {
    readModelStore,
    shadowStore,
    secondStore: new RedisSecondStore({ ...shared, follow: (of) => shadowStore.follow(of) }),
    sweep: () => sweep({ redis, projections, generations, stores: [readModelStore, shadowStore] }),
    reader,
    behindMs: (projection) => reader.lagMs(projection),
    following: () => readModelStore.health(),
    copies: () =>
      projections.map(({ name }) => copyHealth(name, { standing, following: readModelStore })),
  };
}

interface Swept extends Followed {
  readonly generations: Pick<Generations, "list">;
  readonly stores: readonly FollowedReadModelStore[];
}

/** Nobody brings back what is swept: following ends first. */
async function sweep({ redis, projections, generations, stores }: Swept): Promise<void> {
  const list = () => generations.list();
  const kept = (await list()).filter(({ role }) => role !== "removing");
  for (const store of stores) {
    for (const one of store.followed) {
      const isKept = kept.some(
        ({ projection, generation }) =>
          projection === one.projection && generation === one.generation,
      );
      if (!isKept) await store.forget(one);
    }
  }
  await sweepRedis({ redis, projections: projections.map(({ name }) => name), list });
}

interface Watched {
  readonly standing: Pick<RedisStanding, "stands">;
  readonly following: Pick<FollowedReadModelStore, "health">;
}

function copyHealth(projection: string, { standing, following }: Watched): CopyHealth {
  const { lagMs, ageMs, behind, reason } = standing.stands(projection);
  const own = following.health().filter((one) => one.projection === projection);
  const isCurrent = lagMs <= behindMaxMsDefault;
  const failed = own.find((one) => one.reason !== undefined)?.reason;
  return {
    store: "redis",
    projection,
    state: isCurrent ? "current" : "behind",
    ageMs,
    partitionsBehind: behind,
    rowsWaiting: own.reduce((sum, { rowsWaiting }) => sum + rowsWaiting, 0),
    reason: reason ?? failed,
  };
}
