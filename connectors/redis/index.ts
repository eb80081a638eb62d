export { RedisConnection, type RedisConnectionOptions } from "./connection.ts";
export { RedisReadModelReader, type RedisReadModelReaderOptions } from "./read-model-reader.ts";
export { RedisReadModelStore, type RedisReadModelStoreOptions } from "./read-model-store.ts";
export {
  type FollowedReadModelStoreOptions,
  type FollowedPartitionHealth,
  FollowedReadModelStore,
} from "./follower/followed-store.ts";
export {
  behindMaxMsDefault,
  PreferringReader,
  type PreferringReaderOptions,
} from "./preferring-reader.ts";
export {
  type HeldPositions,
  heldPositions,
  partitionsBehind,
  RedisStanding,
  type RedisStandingOptions,
  type RedisStands,
} from "./standing.ts";
export { RedisSecondStore, type RedisSecondStoreOptions } from "./second-store.ts";
export { type RedisSweepOptions, sweepRedis } from "./sweep.ts";
