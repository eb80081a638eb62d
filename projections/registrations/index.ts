export {
  registrations,
  type RegistrationRow,
  type RegistrationStatus,
  registrationStatuses,
} from "./projection.ts";
export {
  type PageRequest,
  registrationById,
  type RegistrationPage,
  registrationsOfModule,
  registrationsOfStudent,
} from "./queries.ts";
