import { accept, type Decision, defineCommand, refuse } from "../../engine/decision/definition.ts";
import { type KnownPayment, payment } from "../payments/index.ts";

/**
 * Asks whether all is paid back that a payment had charged; accepted if so, and when nothing was
 * charged. It records nothing.
 */
export const paymentSettled = defineCommand({
  name: "payment-settled",
  reads: (input: { readonly paymentId: string }) => ({ found: payment.of(input.paymentId) }),
  decide: ({ paymentId }, { found }): Decision<undefined> =>
    found && owesRefund(found)
      ? refuse("payment-not-refunded", `Payment ${paymentId} is not paid back yet.`)
      : accept([], undefined),
});

const owesRefund = ({ charge, terms, refunded }: KnownPayment): boolean =>
  charge !== undefined &&
  terms.registrations.some(
    ({ registrationId, amountCents }) => amountCents > 0 && !refunded.includes(registrationId),
  );
