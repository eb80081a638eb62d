export { type PaidPart, type PaymentRow, type PaymentRowStatus, payments } from "./projection.ts";
export {
  type PageRequest,
  paymentById,
  type PaymentPage,
  paymentsOfRegistration,
  paymentsOfStudent,
  paymentsOfSubject,
} from "./queries.ts";
