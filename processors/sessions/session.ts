import { defineDecisionModel } from "../../engine/decision/definition.ts";
import type { SessionCreated } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";

/** What a session may do beside what is the student's own. */
export type Role = Exclude<SessionCreated["role"], "UNKNOWN">;

export interface KnownSession {
  readonly status: "active" | "expired" | "revoked";
  readonly sessionId: string;
  readonly studentId: string;
  /** Milliseconds since 1970 (UTC). */
  readonly expiresAtMs: number;
}

/** One session, from its first event on; undefined: there was none. */
export type Session = KnownSession | undefined;

export const session = defineDecisionModel({
  name: "session",
  tag: "session",
  topic: sessionEvents,
  initial: undefined as Session,
  on: {
    SessionCreated: (_, { sessionId, studentId, expiresAt }): Session => ({
      status: "active",
      sessionId,
      studentId,
      expiresAtMs: expiresAt,
    }),
    SessionExpired: (known): Session => known && { ...known, status: "expired" },
    SessionRevoked: (known): Session => known && { ...known, status: "revoked" },
  },
});
