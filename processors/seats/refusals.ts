/** Every code that a refusal of the seat commands carries. */
export type SeatRefusalCode =
  | "module-unknown"
  | "registration-not-open"
  | "registration-closed"
  | "already-registered"
  | "student-module-limit"
  | "module-full"
  | "waitlist-not-supported"
  | "registration-unknown"
  | "registration-cancelled";
