export {
  registrations,
  type RegistrationRow,
  type RegistrationStatus,
  registrationStatuses,
} from "./projection.ts";
export { registrationById, registrationsOfModule, registrationsOfStudent } from "./queries.ts";
