import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { PaymentStarted } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { paymentCharge, paymentToMake } from "./effects.ts";
import { payment } from "./payment.ts";
import { no, unknownPayment } from "./refusals.ts";

export interface PayByCard {
  readonly paymentId: string;
  /** What the provider's form gave for the card. It is forgotten once the charge is over. */
  readonly token: string;
  /** Given: another student's payment is refused as if there were none. */
  readonly onlyOf?: string;
}

export interface CardGiven {
  readonly paymentId: string;
  readonly status: "charging";
}

/**
 * Has a card charged. One card for each payment: a second one would be a second charge, or the
 * first one's outcome is known.
 */
export const payByCard = defineCommand({
  name: "pay-by-card",
  reads: ({ paymentId }: PayByCard) => ({ found: payment.of(paymentId) }),
  decide: ({ paymentId, token, onlyOf }, { found }, context): Decision<CardGiven> => {
    if (found === undefined) return unknownPayment(paymentId);
    const { status, terms, expiresAtMs } = found;
    if (onlyOf !== undefined && terms.studentId !== onlyOf) return unknownPayment(paymentId);
    if (status === "charging") {
      return no("payment-in-progress", `A card was given for payment ${paymentId} already.`);
    }
    if (status !== "requested") {
      return no("payment-over", `Payment ${paymentId} is ${status} already.`);
    }
    if (context.reached(expiresAtMs)) {
      const at = new Date(expiresAtMs).toISOString();
      return no("payment-over", `Payment ${paymentId} was due until ${at}.`);
    }
    const charge = paymentCharge.of(paymentId, paymentToMake(terms, expiresAtMs), { token });
    const started = fact(paymentEvents, PaymentStarted, terms);
    return accept([started], { paymentId, status: "charging" }, { effects: [charge] });
  },
});
