/**
 * The engine: definitions, the runner that sets them to work, and the ports that it works on. Free
 * of any domain and any client library.
 */
export * from "./columns.ts";
export * from "./deadline.ts";
export * from "./effect.ts";
export * from "./enrichment.ts";
export * from "./envelope.ts";
export * from "./errors.ts";
export * from "./position.ts";
export * from "./processor.ts";
export * from "./projection.ts";
export * from "./topic.ts";
export { type BackoffOptions, backoffMs, defaultBackoff } from "./backoff.ts";
export { unavailableValue } from "./change/unavailable.ts";
export { crashPoints, type CrashPoint, noProbe, type Probe } from "./crash-points.ts";
export { DeadlineDesk, type DeadlineWork } from "./effects/deadline-desk.ts";
export { EffectRunner, type EffectWork } from "./effects/effect-runner.ts";
export type { DeadlineLimits, EffectLimits } from "./effects/limits.ts";
export { WakeUps } from "./effects/wake-ups.ts";
export { Decider, type DeciderOptions } from "./decision/decider.ts";
export * from "./decision/definition.ts";
export { ModelCache } from "./decision/model-cache.ts";
export * from "./decision/outcome.ts";
export { type SharedByDeciders, sharedByDeciders } from "./decision/shared.ts";
export {
  type BucketDigest,
  canonicalJson,
  digestBuckets,
  DigestDeltas,
  digestsOf,
  PartitionDigests,
  RowHasher,
} from "./digest.ts";
export { classify, type ErrorVerdict, reasonOf } from "./error-policy.ts";
export { changedColumns, type ColumnChange } from "./history/changed-columns.ts";
export * from "./history/row-story.ts";
export { partitionOf } from "./partitioner.ts";
export * from "./ports/alongside.ts";
export * from "./ports/assignment.ts";
export * from "./ports/capture-sink.ts";
export * from "./ports/clock.ts";
export * from "./ports/codec.ts";
export * from "./ports/comparisons.ts";
export * from "./ports/dead-letters.ts";
export * from "./ports/deadlines.ts";
export * from "./ports/effect-ledger.ts";
export * from "./ports/event-store.ts";
export * from "./ports/generations.ts";
export * from "./ports/idempotency-keys.ts";
export * from "./ports/load.ts";
export * from "./ports/metrics.ts";
export * from "./ports/processor-store.ts";
export * from "./ports/read-model-reader.ts";
export * from "./ports/read-model-snapshots.ts";
export * from "./ports/read-model-store.ts";
export * from "./ports/rebuilds.ts";
export * from "./ports/record-log.ts";
export * from "./ports/registry-store.ts";
export * from "./ports/row-source.ts";
export * from "./ports/schema-registry.ts";
export * from "./ports/snapshots.ts";
export * from "./ports/status-board.ts";
export * from "./ports/store-hold.ts";
export * from "./ports/subject-registry.ts";
export * from "./ports/tracing.ts";
export {
  decodePositionToken,
  encodePositionToken,
  type LanePosition,
  type PositionToken,
} from "./position-token.ts";
export * from "./read-rows.ts";
export { RecordCursor } from "./record-batch/index.ts";
export { run } from "./runner/run.ts";
export type { HealSources } from "./runner/heal-desk.ts";
export type { RunOptions } from "./runner/options.ts";
export { type ConsumerHealth, Runner } from "./runner/runner.ts";
export * from "./saga/index.ts";
export { defaultTaskLimits, type TaskLimits } from "./task/limits.ts";
export { storedColumns } from "./task/pipeline.ts";
export { processorModelOf } from "./task/processor-task-store.ts";
export { readModelOf } from "./task/projection-store.ts";
export { transitions } from "./task/transitions.ts";
export * from "./tracing/index.ts";
