import { bigint, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { placeKey, placeOf } from "./place-key.ts";

const columns = {
  moduleCode: text(),
  studentId: text(),
  registrationId: text(),
  /** `waiting`, or `offered` a seat. */
  state: text(),
  waitingSince: timestamp(),
  /** Until when a seat is held for the student. */
  offerExpiresAt: nullable(timestamp()),
  /**
   * Rises in the order in which the line was joined: the sequence of that event in its lane, since
   * several may join in the same millisecond.
   */
  turn: bigint(),
};

export type WaitingListRow = RowOf<typeof columns>;

/** Who stands in line for a seat. A row goes with its student: to a seat, or away. */
export const waitingLists = defineProjection({
  name: "waiting-lists",
  version: 1,
  from: moduleEvents,
  row: columns,
  indexes: [
    ["moduleCode", "turn"],
    ["moduleCode", "state", "turn"],
  ],
  key: (event) => ("studentId" in event ? placeKey(event.moduleCode, event.studentId) : undefined),
  history: (key) => {
    const { moduleCode, studentId } = placeOf(key);
    return [`module:${moduleCode}`, `student:${studentId}`];
  },
  on: {
    ModuleOffered: "ignore",
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: "ignore",
    ModuleWithdrawn: "ignore",
    RegistrationCompleted: "ignore",
    RegistrationCancelled: "ignore",
    WaitlistJoined: (_, { registrationId, moduleCode, studentId }, meta): WaitingListRow => ({
      moduleCode,
      studentId,
      registrationId,
      state: "waiting",
      waitingSince: meta.recordedAtMs,
      offerExpiresAt: null,
      turn: BigInt(meta.sequence),
    }),
    SeatOffered: (row, { offerExpiresAt }): WaitingListRow | undefined =>
      row && { ...row, state: "offered", offerExpiresAt },
    SeatOfferExpired: () => undefined,
    WaitlistLeft: () => undefined,
    ModuleRegistered: () => undefined,
  },
  stores: ["postgres"],
});
