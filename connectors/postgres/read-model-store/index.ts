export { migrations } from "./migrations.ts";
export {
  PostgresReadModelReader,
  type PostgresReadModelReaderOptions,
} from "./read-model-reader.ts";
export {
  PostgresReadModelSnapshots,
  type PostgresReadModelSnapshotsOptions,
} from "./read-model-snapshots.ts";
export { PostgresReadModelStore, type PostgresReadModelStoreOptions } from "./read-model-store.ts";
