export { enrolmentModulesMax, type EnrolmentRefusalCode } from "./admission.ts";
export {
  enrolment,
  type EnrolmentAnswer,
  resubmitEnrolment,
  type ResubmitEnrolment,
  startEnrolment,
} from "./enrolment.ts";
export { type EnrolmentAttempt, enrolmentPaymentId, registrationIdOf } from "./ids.ts";
export type { KeptOfStep, StartEnrolment } from "./steps.ts";
