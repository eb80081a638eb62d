import { integer, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { moduleEvents } from "../../schemas/topics.ts";

const columns = {
  registrationId: text(),
  moduleCode: text(),
  studentId: text(),
  /** One of `registrationStatuses`. */
  status: text(),
  /** Null while nothing but the line has been joined: the fee is told with the seat. */
  feeCents: nullable(integer()),
  /** The enrolment that it belongs to. */
  enrolmentId: nullable(text()),
  /** Why it was cancelled. */
  reason: nullable(text()),
  /** When its id was given: to a seat, or to a place in line. */
  registeredAt: timestamp(),
  /** When the line was joined, of one that has stood in it. */
  waitingSince: nullable(timestamp()),
  /** Until when the seat is offered that was offered last. */
  offerExpiresAt: nullable(timestamp()),
  /** Until when the seat was held before it was completed. */
  holdExpiresAt: nullable(timestamp()),
  completedAt: nullable(timestamp()),
  /** When it ended: as cancelled, expired or left. */
  cancelledAt: nullable(timestamp()),
};

/**
 * `waiting` in line, `offered` a seat there, `held`, `completed`; and ended as `cancelled`, as
 * `expired` (an offer was not taken in time) or as `left` (the line).
 */
export const registrationStatuses = [
  "waiting",
  "offered",
  "held",
  "completed",
  "cancelled",
  "expired",
  "left",
] as const;

export type RegistrationStatus = (typeof registrationStatuses)[number];

export type RegistrationRow = RowOf<typeof columns>;

/** Every registration that ever was, with how it stands. */
export const registrations = defineProjection({
  name: "registrations",
  version: 2,
  from: moduleEvents,
  row: columns,
  indexes: [
    ["studentId", "registeredAt"],
    ["moduleCode", "registeredAt"],
  ],
  key: "registrationId",
  history: (registrationId) => [`registration:${registrationId}`],
  on: {
    ModuleOffered: "ignore",
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: "ignore",
    ModuleWithdrawn: "ignore",
    WaitlistJoined: (_, event, { recordedAtMs }): RegistrationRow => ({
      ...begun(event, "waiting", recordedAtMs),
      waitingSince: recordedAtMs,
    }),
    SeatOffered: (row, { offerExpiresAt }): RegistrationRow | undefined =>
      row && { ...row, status: "offered" satisfies RegistrationStatus, offerExpiresAt },
    SeatOfferExpired: (row, _, meta) => ended(row, "expired", meta.recordedAtMs),
    WaitlistLeft: (row, _, meta) => ended(row, "left", meta.recordedAtMs),
    ModuleRegistered: (row, event, { recordedAtMs }): RegistrationRow => ({
      ...begun(event, "held", recordedAtMs),
      // One that stood in line is the same registration still.
      ...(event.acceptedOffer ? row : undefined),
      status: "held" satisfies RegistrationStatus,
      feeCents: event.feeCents,
      enrolmentId: event.enrolmentId,
      holdExpiresAt: event.holdExpiresAt,
    }),
    RegistrationCompleted: (row, _, meta): RegistrationRow | undefined =>
      row && {
        ...row,
        status: "completed" satisfies RegistrationStatus,
        completedAt: meta.recordedAtMs,
      },
    RegistrationCancelled: (row, { reason }, meta): RegistrationRow | undefined => {
      const cancelled = ended(row, "cancelled", meta.recordedAtMs);
      return cancelled && { ...cancelled, reason };
    },
  },
  stores: ["postgres"],
});

type OfStudent = Pick<RegistrationRow, "registrationId" | "moduleCode" | "studentId">;

const begun = (
  { registrationId, moduleCode, studentId }: OfStudent,
  status: RegistrationStatus,
  registeredAt: number,
): RegistrationRow => ({
  registrationId,
  moduleCode,
  studentId,
  status,
  feeCents: null,
  enrolmentId: null,
  reason: null,
  registeredAt,
  waitingSince: null,
  offerExpiresAt: null,
  holdExpiresAt: null,
  completedAt: null,
  cancelledAt: null,
});

const ended = (
  row: RegistrationRow | undefined,
  status: RegistrationStatus,
  cancelledAt: number,
): RegistrationRow | undefined => row && { ...row, status, cancelledAt };
