import { integer, nullable, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";

const beforeLines = {
  WaitlistJoined: "ignore",
  SeatOffered: "ignore",
  SeatOfferExpired: "ignore",
  WaitlistLeft: "ignore",
} as const;

/** Seats as they were counted before there were lines: no offer, and every seat a new one. */
export const firstSeats = defineProjection({
  ...seatAvailability,
  version: 1,
  on: {
    ...seatAvailability.on,
    ...beforeLines,
    ModuleRegistered: (row) => row && { ...row, held: row.held + 1 },
  },
});

/** Registrations as they were told before there were lines and enrolments. */
export const firstRegistrations = defineProjection({
  name: registrations.name,
  version: 1,
  from: moduleEvents,
  row: {
    registrationId: text(),
    moduleCode: text(),
    studentId: text(),
    status: text(),
    feeCents: integer(),
    reason: nullable(text()),
    registeredAt: timestamp(),
    completedAt: nullable(timestamp()),
    cancelledAt: nullable(timestamp()),
  },
  indexes: [
    ["studentId", "registeredAt"],
    ["moduleCode", "registeredAt"],
  ],
  key: "registrationId",
  on: {
    ...beforeLines,
    ModuleOffered: "ignore",
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: "ignore",
    ModuleWithdrawn: "ignore",
    ModuleRegistered: (_, event, { recordedAtMs }) => ({
      registrationId: event.registrationId,
      moduleCode: event.moduleCode,
      studentId: event.studentId,
      status: "held",
      feeCents: event.feeCents,
      reason: null,
      registeredAt: recordedAtMs,
      completedAt: null,
      cancelledAt: null,
    }),
    RegistrationCompleted: (row, _, meta) =>
      row && { ...row, status: "completed", completedAt: meta.recordedAtMs },
    RegistrationCancelled: (row, { reason }, meta) =>
      row && { ...row, status: "cancelled", reason, cancelledAt: meta.recordedAtMs },
  },
  stores: ["postgres"],
});
