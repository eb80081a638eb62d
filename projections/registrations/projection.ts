import { integer, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { moduleEvents } from "../../schemas/topics.ts";

const columns = {
  registrationId: text(),
  moduleCode: text(),
  studentId: text(),
  /** `held`, `completed` or `cancelled`. */
  status: text(),
  feeCents: integer(),
  /** Why it was cancelled. */
  reason: nullable(text()),
  registeredAt: timestamp(),
  completedAt: nullable(timestamp()),
  cancelledAt: nullable(timestamp()),
};

export type RegistrationRow = RowOf<typeof columns>;

/** Every registration that ever was, with how it stands. */
export const registrations = defineProjection({
  name: "registrations",
  version: 1,
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
    WaitlistJoined: "ignore",
    SeatOffered: "ignore",
    SeatOfferExpired: "ignore",
    WaitlistLeft: "ignore",
    ModuleRegistered: (_, event, meta): RegistrationRow => ({
      registrationId: event.registrationId,
      moduleCode: event.moduleCode,
      studentId: event.studentId,
      status: "held",
      feeCents: event.feeCents,
      reason: null,
      registeredAt: meta.recordedAtMs,
      completedAt: null,
      cancelledAt: null,
    }),
    RegistrationCompleted: (row, _, meta): RegistrationRow | undefined =>
      row && { ...row, status: "completed", completedAt: meta.recordedAtMs },
    RegistrationCancelled: (row, event, meta): RegistrationRow | undefined =>
      row && {
        ...row,
        status: "cancelled",
        reason: event.reason,
        cancelledAt: meta.recordedAtMs,
      },
  },
  stores: ["postgres"],
});
