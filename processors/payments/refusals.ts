import { type Decision, refuse } from "../../engine/decision/definition.ts";

/** Every code that a refusal of the payment commands carries. */
export type PaymentRefusalCode =
  | "payment-unknown"
  | "payment-amount-invalid"
  | "payment-in-progress"
  | "payment-over"
  | "nothing-to-refund";

export const no = (code: PaymentRefusalCode, detail: string): Decision<never> =>
  refuse(code, detail);

export const unknownPayment = (paymentId: string): Decision<never> =>
  no("payment-unknown", `There is no payment ${paymentId}.`);
