import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { PaymentDeadlinePassed, PaymentFailed } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { paymentDue } from "./payment-due.ts";
import { isOpen, payment } from "./payment.ts";
import { unknownPayment } from "./refusals.ts";

export interface FailPayment {
  readonly paymentId: string;
  readonly provider: string;
  /** The provider's code: `CARD_DECLINED`. */
  readonly reason: string;
}

/**
 * Records that a provider refuses the charge for good. From the deadline on only a charge counts: a
 * refusal then tells no more than that none came in time. A payment that is over stays as it is.
 */
export const failPayment = defineCommand({
  name: "fail-payment",
  reads: ({ paymentId }: FailPayment) => ({ found: payment.of(paymentId) }),
  decide: ({ paymentId, provider, reason }, { found }, context): Decision<undefined> => {
    if (found === undefined) return unknownPayment(paymentId);
    if (!isOpen(found)) return accept([], undefined);
    const outcome = context.reached(found.expiresAtMs)
      ? fact(paymentEvents, PaymentDeadlinePassed, found.terms)
      : fact(paymentEvents, PaymentFailed, { ...found.terms, provider, reason });
    return accept([outcome], undefined, {
      deadlines: [paymentDue.cancel(paymentId)],
    });
  },
});
