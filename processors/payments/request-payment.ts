import {
  accept,
  type Decision,
  type DecisionContext,
  defineCommand,
  fact,
} from "../../engine/decision/definition.ts";
import { PaymentDeadlinePassed, PaymentRequested } from "../../schemas/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { paymentOpen, paymentToMake } from "./effects.ts";
import { paymentDue } from "./payment-due.ts";
import type { PaymentSubjectType } from "./payment-id.ts";
import {
  type KnownPayment,
  payment,
  type PaymentPart,
  type PaymentStatus,
  type PaymentTerms,
} from "./payment.ts";
import { no } from "./refusals.ts";

export interface RequestPayment {
  /** From `paymentIdOf`. */
  readonly paymentId: string;
  readonly studentId: string;
  readonly subjectType: PaymentSubjectType;
  /** The registration's or the enrolment's id. */
  readonly subjectId: string;
  /** What is paid for; the amount is the sum of the parts. */
  readonly registrations: readonly PaymentPart[];
  /** Milliseconds since 1970 (UTC); undefined or null: after `dueMs`. */
  readonly expiresAt?: number | null | undefined;
}

export interface RequestedPayment {
  readonly paymentId: string;
  readonly amountCents: number;
  readonly status: PaymentStatus;
  /** Milliseconds since 1970 (UTC). */
  readonly expiresAtMs: number;
}

export interface RequestPaymentOptions {
  /** How long a payment without a time of its own may take. */
  readonly dueMs: number;
}

/** What an Avro int holds. */
const amountMaxCents = 2_147_483_647;

/** The command `requestPayment` under options. Asked again it answers how the payment stands. */
export function requestPaymentWith(options: RequestPaymentOptions) {
  return defineCommand({
    name: "request-payment",
    reads: ({ paymentId }: RequestPayment) => ({ found: payment.ofNew(paymentId) }),
    decide: (input, { found }, context): Decision<RequestedPayment> => {
      if (found) return accept([], asItStands(found));
      const { expiresAt, ...subject } = input;
      const amountCents = subject.registrations.reduce((sum, part) => sum + part.amountCents, 0);
      if (amountCents < 1 || amountCents > amountMaxCents) {
        return no("payment-amount-invalid", `An amount of ${amountCents} cents can't be paid.`);
      }
      const expiresAtMs = expiresAt ?? context.inMs(options.dueMs);
      return requested({ ...subject, amountCents }, expiresAtMs, context);
    },
  });
}

export const requestPayment = requestPaymentWith({ dueMs: 15 * 60_000 });

const asItStands = ({ terms, status, expiresAtMs }: KnownPayment): RequestedPayment => ({
  paymentId: terms.paymentId,
  amountCents: terms.amountCents,
  status,
  expiresAtMs,
});

/** One that comes too late has passed already, and no provider hears of it. */
function requested(
  terms: PaymentTerms,
  expiresAtMs: number,
  context: DecisionContext,
): Decision<RequestedPayment> {
  const { paymentId, amountCents } = terms;
  const answer = { paymentId, amountCents, expiresAtMs };
  const request = fact(paymentEvents, PaymentRequested, { ...terms, expiresAt: expiresAtMs });
  if (context.reached(expiresAtMs)) {
    const passed = fact(paymentEvents, PaymentDeadlinePassed, terms);
    return accept([request, passed], { ...answer, status: "expired" });
  }
  return accept(
    [request],
    { ...answer, status: "requested" },
    {
      effects: [paymentOpen.of(paymentId, paymentToMake(terms, expiresAtMs))],
      deadlines: [paymentDue.at(paymentId, expiresAtMs)],
    },
  );
}
