export { availableSeats, seatAvailability, type SeatAvailabilityRow } from "./projection.ts";
export { seatsOfModule } from "./queries.ts";
