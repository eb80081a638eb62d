import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { SessionCreated } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import { sessionEnd } from "./session-end.ts";
import type { Role } from "./session.ts";

export interface CreateSession {
  /** Who has proved to be it: a student's id, or a user's name. */
  readonly studentId: string;
  readonly role: Role;
  readonly durationMs: number;
}

export interface CreatedSession {
  /** Never given before: whoever signs in again gets another. */
  readonly sessionId: string;
  readonly studentId: string;
  readonly role: Role;
  /** Milliseconds since 1970 (UTC), by the store's clock. */
  readonly expiresAt: number;
}

/** Records that somebody has signed in; whether the password was right is settled before. */
export const createSession = defineCommand({
  name: "create-session",
  reads: () => ({}),
  decide: (
    { studentId, role, durationMs }: CreateSession,
    _,
    context,
  ): Decision<CreatedSession> => {
    const sessionId = context.newId();
    const expiresAt = context.inMs(durationMs);
    const created = { sessionId, studentId, role, expiresAt };
    return accept([fact(sessionEvents, SessionCreated, created)], created, {
      deadlines: [sessionEnd.at(sessionId, expiresAt)],
    });
  },
});
