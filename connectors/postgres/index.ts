export { PostgresAssignment, type PostgresAssignmentOptions } from "./assignment/index.ts";
export { PostgresComparisons, type PostgresComparisonsOptions } from "./comparisons/index.ts";
export { PostgresDeadLetters } from "./dead-letters/index.ts";
export { PostgresDeadlines } from "./deadlines/index.ts";
export { PostgresDrifts, type PostgresDriftsOptions } from "./drifts/index.ts";
export { PostgresEffectLedger } from "./effect-ledger/index.ts";
export { PostgresEventStore, PostgresStoreHold } from "./event-store/index.ts";
export { PostgresGenerations, type PostgresGenerationsOptions } from "./generations/index.ts";
export { PostgresIdempotencyKeys } from "./idempotency-keys/index.ts";
export { migrate, type Migration } from "./migrations.ts";
export { makePool, type PostgresPoolOptions } from "./pool.ts";
export { PostgresProcessorStore } from "./processor-store/index.ts";
export {
  PostgresReadModelReader,
  PostgresReadModelSnapshots,
  type PostgresReadModelSnapshotsOptions,
  PostgresReadModelStore,
  type PostgresReadModelStoreOptions,
} from "./read-model-store/index.ts";
export { PostgresRebuilds } from "./rebuilds/index.ts";
export {
  appendParameters,
  appendRecords,
  firstOffsetFrom,
  laneEnds,
  type LaneEnd,
  lockPartition,
  logChannel,
  logError,
  PostgresRecordLog,
  type PostgresRecordLogOptions,
  skipFrom,
  type SkippedRange,
} from "./record-log/index.ts";
export { engineMigrations } from "./schema.ts";
export { PostgresSkippedOffsets, skipOffsets } from "./skipped-offsets/index.ts";
export { PostgresSnapshots, type PostgresSnapshotsOptions } from "./snapshots/index.ts";
export { PostgresStatusBoard, type PostgresStatusBoardOptions } from "./status-board/index.ts";
