import { defineDecisionModel } from "../../engine/decision/definition.ts";
import type { PaymentRequested } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";

/** What all events of a payment carry. */
export type PaymentTerms = Pick<
  PaymentRequested,
  "paymentId" | "amountCents" | "studentId" | "subjectType" | "subjectId" | "registrations"
>;

/** What a payment is made of: a registration, its module and what it costs, in cents. */
export type PaymentPart = PaymentTerms["registrations"][number];

/** What a provider has charged, in its own words. */
export interface Charge {
  readonly provider: string;
  readonly reference: string;
}

/**
 * - `requested`: nobody has begun to pay it.
 * - `charging`: a card was given, and its outcome is awaited.
 * - `confirmed`: charged; perhaps late.
 * - `failed`, `expired`: it ended without a charge that is known of.
 */
export type PaymentStatus = "requested" | "charging" | "confirmed" | "failed" | "expired";

export interface KnownPayment {
  readonly status: PaymentStatus;
  readonly terms: PaymentTerms;
  /** Milliseconds since 1970 (UTC). */
  readonly expiresAtMs: number;
  /** Once it is confirmed. */
  readonly charge: Charge | undefined;
  /** Ids of the registrations whose part was paid back. */
  readonly refunded: readonly string[];
}

/** One payment, from its first event on; undefined: it was never requested. */
export type Payment = KnownPayment | undefined;

export const payment = defineDecisionModel({
  name: "payment",
  tag: "payment",
  topic: paymentEvents,
  initial: undefined as Payment,
  on: {
    PaymentRequested: (_, event): Payment => ({
      status: "requested",
      terms: termsOf(event),
      expiresAtMs: event.expiresAt,
      charge: undefined,
      refunded: [],
    }),
    PaymentStarted: (known): Payment => known && { ...known, status: "charging" },
    PaymentConfirmed: (known, { provider, reference }): Payment =>
      known && { ...known, status: "confirmed", charge: { provider, reference } },
    PaymentFailed: (known): Payment => known && { ...known, status: "failed" },
    PaymentDeadlinePassed: (known): Payment => known && { ...known, status: "expired" },
    PaymentRefunded: (known, { registrations }): Payment =>
      known && { ...known, refunded: [...known.refunded, ...registrations.map(idOf)] },
  },
});

const idOf = ({ registrationId }: PaymentPart): string => registrationId;

export function termsOf(from: PaymentTerms): PaymentTerms {
  const { paymentId, amountCents, studentId, subjectType, subjectId, registrations } = from;
  return { paymentId, amountCents, studentId, subjectType, subjectId, registrations };
}

/** Can it still end one way or the other? */
export const isOpen = ({ status }: KnownPayment): boolean =>
  status === "requested" || status === "charging";
