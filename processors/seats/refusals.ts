import { type Decision, refuse } from "../../engine/decision/definition.ts";

/** Every code that a refusal of the seat commands carries. */
export type SeatRefusalCode =
  | "module-unknown"
  | "registration-not-open"
  | "registration-closed"
  | "already-registered"
  | "already-in-line"
  | "offer-expired"
  | "student-module-limit"
  | "module-full"
  | "registration-unknown"
  | "registration-in-line"
  | "registration-completed"
  | "registration-cancelled";

export const no = (code: SeatRefusalCode, detail: string): Decision<never> => refuse(code, detail);

export const unknownRegistration = (registrationId: string): Decision<never> =>
  no("registration-unknown", `There is no registration ${registrationId}.`);

export const inLine = (registrationId: string): Decision<never> =>
  no("registration-in-line", `Registration ${registrationId} has no seat yet: it stands in line.`);
