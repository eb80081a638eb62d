export { RedisConnection, type RedisConnectionOptions } from "./connection.ts";
export { RedisReadModelReader, type RedisReadModelReaderOptions } from "./read-model-reader.ts";
export { RedisReadModelStore, type RedisReadModelStoreOptions } from "./read-model-store.ts";
export {
  type FollowedReadModelStoreOptions,
  type FollowerHealth,
  FollowedReadModelStore,
} from "./follower/followed-store.ts";
export { PreferringReader, type PreferringReaderOptions } from "./preferring-reader.ts";
export { RedisStanding, type RedisStandingOptions } from "./standing.ts";
