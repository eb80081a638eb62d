import { type Static, Type } from "typebox";

import type { PaymentRow } from "../../projections/payments/index.ts";
import { iso, isoOrNull, nullable, Time } from "../shapes.ts";

export const Payment = Type.Object({
  paymentId: Type.String(),
  subjectType: Type.String({ description: "`REGISTRATION` or `ENROLMENT`." }),
  subjectId: Type.String({ description: "The registration's or the enrolment's id." }),
  studentId: Type.String(),
  amountCents: Type.Integer(),
  status: Type.String({
    description:
      "`requested`, `charging` (a card was given), `confirmed`, `failed`, `expired`, `late` (paid " +
      "after it had ended, and paid back), `partly-refunded`, `refunded`",
  }),
  refundedCents: Type.Integer(),
  provider: nullable(Type.String()),
  reference: nullable(Type.String({ description: "The charge, as the provider names it." })),
  reason: nullable(Type.String({ description: "Why it failed or was paid back." })),
  registrations: Type.Array(
    Type.Object({
      registrationId: Type.String(),
      moduleCode: Type.String(),
      amountCents: Type.Integer(),
    }),
  ),
  expiresAt: Time,
  requestedAt: Time,
  endedAt: nullable(Time),
  refundedAt: nullable(Time),
});

export const PaymentList = Type.Object({ payments: Type.Array(Payment) });

export const paymentShape = (row: PaymentRow): Static<typeof Payment> => ({
  ...row,
  registrations: [...row.registrations],
  expiresAt: iso(row.expiresAt),
  requestedAt: iso(row.requestedAt),
  endedAt: isoOrNull(row.endedAt),
  refundedAt: isoOrNull(row.refundedAt),
});
