import { integer, json, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { paymentEvents } from "../../schemas/topics.ts";

/** What a payment is made of. */
export interface PaidPart {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly amountCents: number;
}

/**
 * - `requested`: it is owed. `charging`: a card was given, and its outcome is awaited.
 * - `confirmed`: charged. `failed`: the charge was refused. `expired`: nothing came in time.
 * - `late`: charged after it had failed or expired; it is paid back.
 * - `partly-refunded`, `refunded`: some or all of what was charged is paid back.
 */
export type PaymentRowStatus =
  | "requested"
  | "charging"
  | "confirmed"
  | "failed"
  | "expired"
  | "late"
  | "partly-refunded"
  | "refunded";

const columns = {
  paymentId: text(),
  /** `REGISTRATION` or `ENROLMENT`. */
  subjectType: text(),
  subjectId: text(),
  studentId: text(),
  amountCents: integer(),
  /** A `PaymentRowStatus`. */
  status: text(),
  refundedCents: integer(),
  /** Who charged it, or refused to. */
  provider: nullable(text()),
  /** The charge, as the provider names it. */
  reference: nullable(text()),
  /** Why it failed, or why something was paid back last. */
  reason: nullable(text()),
  registrations: json<readonly PaidPart[]>(),
  expiresAt: timestamp(),
  requestedAt: timestamp(),
  /** When its last outcome was recorded: confirmed, failed or expired. */
  endedAt: nullable(timestamp()),
  /** When something was paid back last. */
  refundedAt: nullable(timestamp()),
};

export type PaymentRow = RowOf<typeof columns>;

/** Every payment that ever was asked for, with how it stands. */
export const payments = defineProjection({
  name: "payments",
  version: 1,
  from: paymentEvents,
  row: columns,
  indexes: [
    ["subjectId", "requestedAt"],
    ["studentId", "requestedAt"],
  ],
  key: "paymentId",
  history: (paymentId) => [`payment:${paymentId}`],
  on: {
    PaymentRequested: (_, event, meta): PaymentRow => ({
      paymentId: event.paymentId,
      subjectType: event.subjectType,
      subjectId: event.subjectId,
      studentId: event.studentId,
      amountCents: event.amountCents,
      status: "requested",
      refundedCents: 0,
      provider: null,
      reference: null,
      reason: null,
      registrations: event.registrations,
      expiresAt: event.expiresAt,
      requestedAt: meta.recordedAtMs,
      endedAt: null,
      refundedAt: null,
    }),
    PaymentStarted: (row): PaymentRow | undefined => row && { ...row, status: "charging" },
    PaymentConfirmed: (row, { provider, reference }, meta): PaymentRow | undefined => {
      const status = row?.endedAt === null ? "confirmed" : "late";
      return row && { ...row, status, provider, reference, endedAt: meta.recordedAtMs };
    },
    PaymentFailed: (row, { provider, reason }, meta): PaymentRow | undefined =>
      row && { ...row, status: "failed", provider, reason, endedAt: meta.recordedAtMs },
    PaymentDeadlinePassed: (row, _, meta): PaymentRow | undefined =>
      row && { ...row, status: "expired", endedAt: meta.recordedAtMs },
    PaymentRefunded: (row, { amountCents, reason }, meta): PaymentRow | undefined => {
      if (row === undefined) return undefined;
      const refundedCents = row.refundedCents + amountCents;
      const status = refundedCents < row.amountCents ? "partly-refunded" : "refunded";
      return { ...row, status, refundedCents, reason, refundedAt: meta.recordedAtMs };
    },
  },
  stores: ["postgres"],
});
