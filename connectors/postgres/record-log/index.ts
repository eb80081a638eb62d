export { appendRecords, logChannel } from "./append-records.ts";
export { migrations } from "./migrations.ts";
export { PostgresRecordLog, type PostgresRecordLogOptions } from "./postgres-record-log.ts";
