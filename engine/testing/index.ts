/** The test kit: folds alone, and the real task with only its I/O simulated. */
export { crashPoints, type CrashPoint, type Probe } from "../crash-points.ts";
export { CrashSignal } from "../error-policy.ts";
export { ManualClock, SeededRandom } from "../memory/clock.ts";
export { JsonCodec } from "../memory/json-codec.ts";
export { ProjectionDriver, type DriverOptions } from "./driver.ts";
export {
  ExpectationError,
  foldAll,
  given,
  type Given,
  type GivenEvent,
  happened,
} from "./given.ts";
export { givenSaga, type GivenSaga } from "./given-saga.ts";
export { Journal, type JournalOptions } from "./journal.ts";
export { processorChecks, type ProcessorSuiteOptions } from "./processor-suites.ts";
export { ProcessorDriver, type ProcessorDriverOptions } from "./processor-driver.ts";
export { type History, reactAll, type Reacted } from "./react-all.ts";
export { foldChanges } from "./table-history.ts";
export type { CrashAt, DriveOptions } from "./task-driver.ts";
export { changeChecks, type ChangeSuiteOptions } from "./change-suites.ts";
export { type Check, projectionChecks, type SuiteOptions } from "./suites.ts";
