export * from "./sandbox/index.ts";
export * from "./webhook/index.ts";
