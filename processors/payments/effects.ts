import { defineEffect } from "../../engine/effect.ts";
import type { PaymentTerms } from "./payment.ts";

/** A payment as a provider has to know it. */
export interface PaymentToMake {
  readonly paymentId: string;
  readonly amountCents: number;
  readonly studentId: string;
  readonly registrationIds: readonly string[];
  /** Milliseconds since 1970 (UTC): nothing is to be charged at or after this time. */
  readonly expiresAtMs: number;
}

/** A part of a charge that is to be paid back. */
export interface PartToRefund {
  readonly paymentId: string;
  readonly registrationId: string;
  readonly studentId: string;
  readonly amountCents: number;
  /** Who charged it, and as what. */
  readonly provider: string;
  readonly reference: string;
  /** Why; see `PaymentRefunded.reason`. */
  readonly reason: string;
}

/** A card, as the provider's own form in the browser gives it: no number comes here. */
export interface Card {
  readonly token: string;
}

type Concerned = Pick<PaymentToMake, "paymentId" | "studentId" | "registrationIds">;

const tagsOf = ({ paymentId, studentId, registrationIds }: Concerned): readonly string[] => [
  `payment:${paymentId}`,
  `student:${studentId}`,
  ...registrationIds.map((id) => `registration:${id}`),
];

/** The provider is told of a payment, and may have its outcome at once. Key: the payment's id. */
export const paymentOpen = defineEffect<PaymentToMake>({ kind: "payment.open", tags: tagsOf });

/** A card is charged. Key: the payment's id. */
export const paymentCharge = defineEffect<PaymentToMake, Card>({
  kind: "payment.charge",
  tags: tagsOf,
});

/** The part of one registration is paid back. Key: `<payment id>/<registration id>`. */
export const paymentRefund = defineEffect<PartToRefund>({
  kind: "payment.refund",
  tags: ({ registrationId, ...part }) => tagsOf({ ...part, registrationIds: [registrationId] }),
});

export const paymentToMake = (terms: PaymentTerms, expiresAtMs: number): PaymentToMake => ({
  paymentId: terms.paymentId,
  amountCents: terms.amountCents,
  studentId: terms.studentId,
  registrationIds: terms.registrations.map(({ registrationId }) => registrationId),
  expiresAtMs,
});
