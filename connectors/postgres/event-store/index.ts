export { appendAllWithin, appendWithin } from "./append-within.ts";
export { PostgresEventStore, type PostgresEventStoreOptions } from "./event-store.ts";
export { framingRegistry, knownFraming, setFramingRegistry } from "./framing-registry.ts";
export { migrations } from "./migrations.ts";
export { deleteNotices, insertNotices } from "./notices.ts";
export { PostgresStoreHold } from "./store-hold.ts";
