import { integer, type RowOf, text } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { SeatAvailableChanged } from "../../schemas/index.ts";
import { moduleEvents, registrationUpdates } from "../../schemas/topics.ts";

const columns = {
  moduleCode: text(),
  capacity: integer(),
  /** By registrations that are not completed, and by offers to students in line. */
  held: integer(),
  confirmed: integer(),
};

export type SeatAvailabilityRow = RowOf<typeof columns>;

/** Free seats: never below 0, though a capacity may be lowered below the seats that are taken. */
export const availableSeats = (row: Omit<SeatAvailabilityRow, "moduleCode">): number =>
  Math.max(0, row.capacity - row.held - row.confirmed);

/** The seats of each module that is on offer. */
export const seatAvailability = defineProjection({
  name: "seat-availability",
  version: 2,
  from: moduleEvents,
  row: columns,
  key: "moduleCode",
  history: (moduleCode) => [`module:${moduleCode}`],
  on: {
    ModuleOffered: (_, { moduleCode, capacity }) => ({
      moduleCode,
      capacity,
      held: 0,
      confirmed: 0,
    }),
    ModuleDetailsChanged: "ignore",
    ModuleCapacityChanged: (row, { capacity }) => row && { ...row, capacity },
    ModuleWithdrawn: () => undefined,
    WaitlistJoined: "ignore",
    SeatOffered: (row) => row && { ...row, held: row.held + 1 },
    SeatOfferExpired: (row) => row && { ...row, held: row.held - 1 },
    WaitlistLeft: (row, { offered }) => row && (offered ? { ...row, held: row.held - 1 } : row),
    ModuleRegistered: (row, { acceptedOffer }) =>
      row && (acceptedOffer ? row : { ...row, held: row.held + 1 }),
    RegistrationCompleted: (row) =>
      row && { ...row, held: row.held - 1, confirmed: row.confirmed + 1 },
    RegistrationCancelled: (row, { seat }) =>
      row &&
      (seat === "HELD" ? { ...row, held: row.held - 1 } : { ...row, confirmed: row.confirmed - 1 }),
  },
  notify: {
    to: registrationUpdates,
    type: SeatAvailableChanged,
    // A module that was withdrawn is told as one without seats.
    event: (row, _before, { key, sourcePosition }) => {
      const seats = row ?? { capacity: 0, held: 0, confirmed: 0 };
      const { capacity, held, confirmed } = seats;
      const available = availableSeats(seats);
      return { moduleCode: key, capacity, held, confirmed, available, sourcePosition };
    },
  },
  stores: ["postgres", "redis"],
});
