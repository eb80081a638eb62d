import { type Fact, fact } from "../../engine/decision/definition.ts";
import {
  paymentIdOf,
  type PaymentPart,
  type PaymentTerms,
  type RequestPayment,
} from "../../processors/payments/index.ts";
import {
  PaymentConfirmed,
  PaymentDeadlinePassed,
  PaymentFailed,
  PaymentRefunded,
  PaymentRequested,
  PaymentStarted,
} from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";

/** A registration of 120 Euro, and its payment. */
export const part: PaymentPart = {
  registrationId: "reg-1",
  moduleCode: "MA101",
  amountCents: 12_000,
};

export const paymentId = paymentIdOf("REGISTRATION", part.registrationId);

export const terms: PaymentTerms = {
  paymentId,
  amountCents: 12_000,
  studentId: "ada",
  subjectType: "REGISTRATION",
  subjectId: part.registrationId,
  registrations: [part],
};

/** Milliseconds: when the payment is due. */
export const dueAtMs = 900_000;

export const request: RequestPayment = {
  paymentId,
  studentId: "ada",
  subjectType: "REGISTRATION",
  subjectId: part.registrationId,
  registrations: [part],
  expiresAt: dueAtMs,
};

export const charge = { provider: "sandbox", reference: "ch-1" };

/** What the events of the payment are. */
export const happened = {
  requested: fact(paymentEvents, PaymentRequested, { ...terms, expiresAt: dueAtMs }),
  started: fact(paymentEvents, PaymentStarted, terms),
  confirmed: fact(paymentEvents, PaymentConfirmed, { ...terms, ...charge }),
  failed: fact(paymentEvents, PaymentFailed, {
    ...terms,
    provider: "sandbox",
    reason: "CARD_DECLINED",
  }),
  passed: fact(paymentEvents, PaymentDeadlinePassed, terms),
  refunded: fact(paymentEvents, PaymentRefunded, {
    ...terms,
    provider: "sandbox",
    reference: "re-1",
    reason: "LATE",
  }),
} satisfies Readonly<Record<string, Fact>>;
