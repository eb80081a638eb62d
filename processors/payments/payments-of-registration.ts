import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { type KnownPayment, type Payment, payment } from "./payment.ts";

/**
 * The payments that name a registration, by id: its own, or those of its enrolment's attempts. Of
 * refunds it knows those of this registration only.
 */
export type PaymentsOfRegistration = ReadonlyMap<string, KnownPayment>;

const { on } = payment;
type Folds = typeof on;
type Named = { readonly paymentId: string };

const none: PaymentsOfRegistration = new Map();

export const paymentsOfRegistration = defineDecisionModel({
  name: "payments-of-registration",
  tag: "registration",
  topic: paymentEvents,
  initial: none,
  on: {
    PaymentRequested: folded("PaymentRequested"),
    PaymentConfirmed: folded("PaymentConfirmed"),
    PaymentRefunded: folded("PaymentRefunded"),
  },
});

/** Each payment by the fold of the model `payment`. */
function folded(name: keyof Folds) {
  return (known: PaymentsOfRegistration, event: Named, meta: unknown): PaymentsOfRegistration => {
    const fold = on[name] as (state: Payment, event: Named, meta: unknown) => Payment;
    const next = fold(known.get(event.paymentId), event, meta);
    return next === undefined ? known : new Map(known).set(event.paymentId, next);
  };
}
