export { confirmPayment, type ConfirmPayment } from "./confirm-payment.ts";
export { paymentCharge, paymentOpen, paymentRefund } from "./effects.ts";
export { failPayment, type FailPayment } from "./fail-payment.ts";
export { passPaymentDeadline, type PassPaymentDeadline } from "./pass-payment-deadline.ts";
export { type CardGiven, payByCard, type PayByCard } from "./pay-by-card.ts";
export { paymentDue } from "./payment-due.ts";
export { paymentIdOf, type PaymentSubjectType } from "./payment-id.ts";
export {
  type Charge,
  type KnownPayment,
  type Payment,
  payment,
  type PaymentPart,
  type PaymentStatus,
  type PaymentTerms,
} from "./payment.ts";
export { paymentRequests } from "./payment-requests.ts";
export { paymentsOfRegistration, type PaymentsOfRegistration } from "./payments-of-registration.ts";
export { outcomeCommand, paymentPerformers } from "./performers.ts";
export type * from "./provider.ts";
export { recordRefund, type RecordRefund } from "./record-refund.ts";
export type { PaymentRefusalCode } from "./refusals.ts";
export { refundRegistration, type RefundRegistration } from "./refund-registration.ts";
export {
  requestPayment,
  type RequestPayment,
  type RequestedPayment,
  type RequestPaymentOptions,
  requestPaymentWith,
} from "./request-payment.ts";
