import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { PaymentDeadlinePassed } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { isOpen, payment } from "./payment.ts";
import { unknownPayment } from "./refusals.ts";

export interface PassPaymentDeadline {
  readonly paymentId: string;
}

/** Records that no outcome came in time. Where one is recorded already, nothing happens. */
export const passPaymentDeadline = defineCommand({
  name: "pass-payment-deadline",
  reads: ({ paymentId }: PassPaymentDeadline) => ({ found: payment.of(paymentId) }),
  decide: ({ paymentId }, { found }): Decision<undefined> => {
    if (found === undefined) return unknownPayment(paymentId);
    if (!isOpen(found)) return accept([], undefined);
    return accept([fact(paymentEvents, PaymentDeadlinePassed, found.terms)], undefined);
  },
});
