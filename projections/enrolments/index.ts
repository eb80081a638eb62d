export {
  type EnrolmentChain,
  type EnrolmentRow,
  enrolments,
  type EnrolmentStatus,
} from "./projection.ts";
export { enrolmentById, enrolmentsOfStudent } from "./queries.ts";
export type { EnrolmentStep, EnrolmentSteps, EnrolmentStepState } from "./steps.ts";
