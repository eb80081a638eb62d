export { type SessionRow, sessions } from "./projection.ts";
export { activeSessions, type PageRequest, sessionById, type SessionPage } from "./queries.ts";
