export type { RecordSchema, RecordType } from "./event-type.ts";
export * from "./generated/catalogue.ts";
export * from "./generated/modules.ts";
export * from "./generated/seats.ts";
export * from "./generated/updates.ts";
export { catalogueModules, moduleEvents, registrationUpdates } from "./topics.ts";
