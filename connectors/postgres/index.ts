export { migrate, type Migration } from "./migrations.ts";
export { makePool, type PostgresPoolOptions } from "./pool.ts";
export {
  appendRecords,
  logChannel,
  PostgresRecordLog,
  type PostgresRecordLogOptions,
} from "./record-log/index.ts";
