import { defineDeadline } from "../../engine/deadline.ts";
import { passPaymentDeadline } from "./pass-payment-deadline.ts";

/** The time by which a payment has to have its outcome. Key: the payment's id. */
export const paymentDue = defineDeadline({
  name: "payment-due",
  tags: (paymentId) => [`payment:${paymentId}`],
  passed: ({ key }) => passPaymentDeadline({ paymentId: key }),
});
