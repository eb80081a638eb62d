export { completeRegistration } from "./complete-registration.ts";
export { moduleSeats, type ModuleSeats } from "./module-seats.ts";
export type { SeatRefusalCode } from "./refusals.ts";
export {
  defaultStudentModuleLimit,
  register,
  type Register,
  type Registered,
  type RegisterOptions,
  registerWith,
} from "./register.ts";
export { type CancelReason, registration, type Registration } from "./registration.ts";
export { studentRegistrations, type StudentRegistrations } from "./student-registrations.ts";
export { withdraw, type Withdraw, type Withdrawn } from "./withdraw.ts";
