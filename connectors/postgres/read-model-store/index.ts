export { migrations } from "./migrations.ts";
export { PostgresReadModelReader } from "./read-model-reader.ts";
export { PostgresReadModelStore, type PostgresReadModelStoreOptions } from "./read-model-store.ts";
