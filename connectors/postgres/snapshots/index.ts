export { migrations } from "./migrations.ts";
export { PostgresSnapshots, type PostgresSnapshotsOptions } from "./snapshots.ts";
