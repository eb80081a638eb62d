export { type PastSeats, type PastSource, seatsOfModuleAt } from "./past.ts";
export { availableSeats, seatAvailability, type SeatAvailabilityRow } from "./projection.ts";
export { seatsOfModule } from "./queries.ts";
