export {
  cancelRegistration,
  type CancelRegistration,
  type CancelledRegistration,
} from "./cancel-registration.ts";
export {
  type CompletedRegistration,
  completeRegistration,
  type CompleteRegistration,
} from "./complete-registration.ts";
export { expireOffer, type ExpireOffer, type OfferExpiry } from "./expire-offer.ts";
export { moduleSeats, type ModuleSeats } from "./module-seats.ts";
export {
  defaultOfferMs,
  lineOpens,
  type OfferedSeats,
  type OfferOptions,
  offerSeats,
  type OfferSeats,
  seatOffersWith,
} from "./offer-seats.ts";
export type { SeatRefusalCode } from "./refusals.ts";
export {
  defaultHoldMs,
  defaultStudentModuleLimit,
  register,
  type Register,
  type Registered,
  type RegisterOptions,
  registerWith,
} from "./register.ts";
export { type CancelReason, registration, type Registration } from "./registration.ts";
export { seatOffer } from "./seat-offer.ts";
export {
  type InLine,
  studentRegistrations,
  type StudentRegistrations,
} from "./student-registrations.ts";
export { withdraw, type Withdraw, type Withdrawn } from "./withdraw.ts";
