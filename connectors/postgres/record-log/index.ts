export { appendParameters, appendRecords, logChannel } from "./append-records.ts";
export { logError } from "./database-errors.ts";
export type { CompactionOptions } from "./compaction.ts";
export { migrations } from "./migrations.ts";
export { PostgresRecordLog, type PostgresRecordLogOptions } from "./postgres-record-log.ts";
