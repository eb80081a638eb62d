export { appendParameters, appendRecords, logChannel } from "./append-records.ts";
export { logError } from "./database-errors.ts";
export { firstOffsetFrom, laneEnds, type LaneEnd } from "./lanes.ts";
export { lockPartition, skipFrom, type LockedPartition, type SkippedRange } from "./skip.ts";
export type { CompactionOptions } from "./compaction.ts";
export { migrations } from "./migrations.ts";
export { PostgresRecordLog, type PostgresRecordLogOptions } from "./postgres-record-log.ts";
