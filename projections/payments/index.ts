export { type PaidPart, type PaymentRow, type PaymentRowStatus, payments } from "./projection.ts";
export {
  paymentById,
  paymentsOfRegistration,
  paymentsOfStudent,
  paymentsOfSubject,
} from "./queries.ts";
