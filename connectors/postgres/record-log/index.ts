export { appendRecords, logChannel } from "./append-records.ts";
export { LogMaintenance, type LogMaintenanceOptions } from "./maintenance.ts";
export { migrations } from "./migrations.ts";
export { PostgresRecordLog, type PostgresRecordLogOptions } from "./postgres-record-log.ts";
