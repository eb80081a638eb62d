import {
  accept,
  type Decision,
  defineCommand,
  type WantedEffect,
} from "../../engine/decision/definition.ts";
import { paymentRefund } from "./effects.ts";
import type { KnownPayment } from "./payment.ts";
import { paymentsOfRegistration } from "./payments-of-registration.ts";
import { no } from "./refusals.ts";

export interface RefundRegistration {
  readonly registrationId: string;
  /** Why the registration ended, or LATE: it had ended before the charge. */
  readonly reason: string;
}

/**
 * Has paid back what was charged for a registration and was not paid back yet. Refused where that
 * is nothing. Asked twice it is one refund: the effect has the same key.
 */
export const refundRegistration = defineCommand({
  name: "refund-registration",
  reads: (input: RefundRegistration) => ({
    payments: paymentsOfRegistration.of(input.registrationId),
  }),
  decide: (input, { payments }): Decision<{ readonly registrationId: string }> => {
    const { registrationId } = input;
    const effects = [...payments.values()].flatMap((one) => refundOf(one, input));
    if (effects.length === 0) {
      const detail = `Nothing that was charged for registration ${registrationId} is to be paid back.`;
      return no("nothing-to-refund", detail);
    }
    return accept([], { registrationId }, { effects });
  },
});

function refundOf(
  { terms, charge, refunded }: KnownPayment,
  { registrationId, reason }: RefundRegistration,
): readonly WantedEffect[] {
  const part = terms.registrations.find((one) => one.registrationId === registrationId);
  if (charge === undefined || part === undefined || part.amountCents === 0) return [];
  if (refunded.includes(registrationId)) return [];
  const { paymentId, studentId } = terms;
  const { amountCents } = part;
  return [
    paymentRefund.of(`${paymentId}/${registrationId}`, {
      paymentId,
      registrationId,
      studentId,
      amountCents,
      ...charge,
      reason,
    }),
  ];
}
