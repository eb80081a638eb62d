export {
  type EnrolmentChain,
  type EnrolmentRow,
  enrolments,
  type EnrolmentStatus,
} from "./projection.ts";
export {
  enrolmentById,
  type EnrolmentPage,
  enrolmentsOfStudent,
  type PageRequest,
} from "./queries.ts";
export type { EnrolmentStep, EnrolmentSteps, EnrolmentStepState } from "./steps.ts";
