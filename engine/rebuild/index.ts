/** Rebuilds of read models: planned, filled beside what serves, proved, swapped in, undone. */
export { canConduct } from "./can-conduct.ts";
export { Conductor, type ConductorOptions } from "./conductor.ts";
export { type ComparedColumns, comparedColumns } from "./compared-columns.ts";
export {
  noRebuildProbe,
  type RebuildCrashPoint,
  rebuildCrashPoints,
  type RebuildProbe,
} from "./crash-points.ts";
export { RebuildDesk, type RebuildDeskOptions } from "./desk.ts";
export { startedByVersion } from "./new-versions.ts";
export {
  defaultRebuildLimits,
  type RebuildEnvironment,
  type RebuildLimits,
  type RebuildStores,
} from "./options.ts";
export { planRebuild, type PlanLimits, type PlanOptions } from "./plan.ts";
export { isEqual, promotion } from "./policy.ts";
export {
  type DifferingRow,
  type KeyedRow,
  rowDifferences,
  type RowPages,
} from "./row-differences.ts";
export { sweep, type SweepOptions, type Swept } from "./sweep.ts";
export { wantsUndo } from "./wants-undo.ts";
export { workedOnByBoard } from "./worked-on.ts";
