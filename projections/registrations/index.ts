export { registrations, type RegistrationRow } from "./projection.ts";
export {
  type PageRequest,
  registrationById,
  type RegistrationPage,
  registrationsOfModule,
  registrationsOfStudent,
} from "./queries.ts";
