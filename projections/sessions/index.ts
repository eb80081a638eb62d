export { type SessionRow, sessions } from "./projection.ts";
export { activeSessions, sessionById } from "./queries.ts";
