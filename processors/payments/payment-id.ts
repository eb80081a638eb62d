import { nameBasedId } from "../../engine/decision/event-ids.ts";

export type PaymentSubjectType = "REGISTRATION" | "ENROLMENT";

/**
 * The payment of a registration (`subject` is its id) or of an enrolment's attempt
 * (`<enrolment id>/<attempt>`). Whoever asks for it, and however often, it is the same payment.
 */
export const paymentIdOf = (type: PaymentSubjectType, subject: string): string =>
  nameBasedId(`payment/${type}/${subject}`);
