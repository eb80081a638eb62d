export { type CreatedSession, createSession, type CreateSession } from "./create-session.ts";
export { expireSession, type ExpireSession } from "./expire-session.ts";
export type { SessionRefusalCode } from "./refusals.ts";
export { revokeSession, type RevokeSession } from "./revoke-session.ts";
export { sessionEnd } from "./session-end.ts";
export { type KnownSession, type Role, session, type Session } from "./session.ts";
