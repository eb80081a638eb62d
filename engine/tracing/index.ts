/** Following business transactions: their trace contexts, and everything that came of one. */
export * from "./find-transaction.ts";
export * from "./notices.ts";
export * from "./read-events.ts";
export * from "./rows.ts";
export * from "./timeline.ts";
export * from "./trace-context.ts";
export * from "./trace.ts";
