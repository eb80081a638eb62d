import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { PaymentRefunded } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { payment } from "./payment.ts";
import { no, unknownPayment } from "./refusals.ts";

export interface RecordRefund {
  readonly paymentId: string;
  readonly registrationId: string;
  readonly provider: string;
  /** The refund, as the provider names it. */
  readonly reference: string;
  readonly reason: string;
}

/** Records that a provider has paid back the part of one registration. Twice is once. */
export const recordRefund = defineCommand({
  name: "record-refund",
  reads: ({ paymentId }: RecordRefund) => ({ found: payment.of(paymentId) }),
  decide: ({ paymentId, registrationId, ...refund }, { found }): Decision<undefined> => {
    if (found === undefined) return unknownPayment(paymentId);
    const part = found.terms.registrations.find((one) => one.registrationId === registrationId);
    if (part === undefined || found.charge === undefined) {
      const detail = `Payment ${paymentId} has charged nothing for registration ${registrationId}.`;
      return no("nothing-to-refund", detail);
    }
    if (found.refunded.includes(registrationId)) return accept([], undefined);
    const { amountCents } = part;
    const refunded = { ...found.terms, ...refund, registrations: [part], amountCents };
    return accept([fact(paymentEvents, PaymentRefunded, refunded)], undefined);
  },
});
