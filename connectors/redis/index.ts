export { RedisConnection, type RedisConnectionOptions } from "./connection.ts";
export { RedisReadModelReader, type RedisReadModelReaderOptions } from "./read-model-reader.ts";
export { RedisReadModelStore, type RedisReadModelStoreOptions } from "./read-model-store.ts";
