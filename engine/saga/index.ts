export {
  defineStep,
  recordedAs,
  reportsFrom,
  type SagaAdmission,
  type SagaDefinition,
  type SagaRecords,
  type SagaReports,
  type SagaStep,
  type StepReport,
  type StepToDo,
  type StepToUndo,
  type StepUndo,
} from "./definition.ts";
export { defineSaga, type Saga } from "./define-saga.ts";
export type { SagaFact } from "./facts.ts";
export { decideSaga, type SagaAction, type SagaPlan, type SagaProgress } from "./plan.ts";
export { stepTimedOut } from "./reports.ts";
export { evolveSaga, type KnownSaga, type SagaState, type StepTry } from "./state.ts";
