import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { PaymentConfirmed } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { paymentDue } from "./payment-due.ts";
import { type Charge, payment } from "./payment.ts";
import { unknownPayment } from "./refusals.ts";

export interface ConfirmPayment extends Charge {
  readonly paymentId: string;
}

/**
 * Records that a provider has charged the amount, whatever was recorded before: money that was
 * taken is never left out, and what came too late is paid back. Twice is the same as once.
 */
export const confirmPayment = defineCommand({
  name: "confirm-payment",
  reads: ({ paymentId }: ConfirmPayment) => ({ found: payment.of(paymentId) }),
  decide: ({ paymentId, provider, reference }, { found }): Decision<undefined> => {
    if (found === undefined) return unknownPayment(paymentId);
    if (found.status === "confirmed") return accept([], undefined);
    const confirmed = { ...found.terms, provider, reference };
    return accept([fact(paymentEvents, PaymentConfirmed, confirmed)], undefined, {
      deadlines: [paymentDue.cancel(paymentId)],
    });
  },
});
