import { integer, text } from "../engine/columns.ts";
import { defineProjection } from "../engine/projection.ts";
import { moduleEvents } from "../schemas/topics.ts";

/** The seats of each module; as the application has it, without its notices. */
export const seatBoard = seatBoardOn(moduleEvents, "seat-board");

/** These events in another number of partitions: a typed literal of which only that differs. */
export const seatTopicOf = (partitions: number) =>
  ({ ...moduleEvents, partitions }) as unknown as typeof moduleEvents;

/** The seat board on them, as each of several processes has it. */
export const seatBoardOf = (partitions: number) =>
  seatBoardOn(seatTopicOf(partitions), "seat-board");

/** The same on a topic of these events that has another number of partitions. */
export function seatBoardOn(from: typeof moduleEvents, name: string) {
  return defineProjection({
    name,
    version: 1,
    from,
    row: { moduleCode: text(), capacity: integer(), held: integer(), confirmed: integer() },
    key: "moduleCode",
    on: {
      ModuleOffered: (_, e) => ({
        moduleCode: e.moduleCode,
        capacity: e.capacity,
        held: 0,
        confirmed: 0,
      }),
      ModuleRegistered: (row) => row && { ...row, held: row.held + 1 },
      RegistrationCompleted: (row) =>
        row && { ...row, held: row.held - 1, confirmed: row.confirmed + 1 },
      RegistrationCancelled: (row) => row && { ...row, held: row.held - 1 },
      ModuleDetailsChanged: "ignore",
      ModuleCapacityChanged: "ignore",
      ModuleWithdrawn: "ignore",
      WaitlistJoined: "ignore",
      SeatOffered: "ignore",
      SeatOfferExpired: "ignore",
      WaitlistLeft: "ignore",
    },
  });
}
