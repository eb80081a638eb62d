export type { RecordSchema, RecordType } from "./event-type.ts";
export * from "./generated/catalogue.ts";
export * from "./generated/enrolments.ts";
export * from "./generated/modules.ts";
export * from "./generated/notices.ts";
export * from "./generated/payments.ts";
export * from "./generated/seats.ts";
export * from "./generated/sessions.ts";
export * from "./generated/updates.ts";
export {
  catalogueModules,
  enrolmentEvents,
  moduleEvents,
  paymentEvents,
  registrationUpdates,
  sessionEvents,
  studentNotices,
} from "./topics.ts";
