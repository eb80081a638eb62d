import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { SessionRevoked } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import { unknownSession } from "./refusals.ts";
import { sessionEnd } from "./session-end.ts";
import { session } from "./session.ts";

export interface RevokeSession {
  readonly sessionId: string;
  readonly reason: Exclude<SessionRevoked["reason"], "UNKNOWN">;
  /** In whose name. */
  readonly by: string;
}

/** Ends a session before its time. Twice is the same as once; one that is over stays as it is. */
export const revokeSession = defineCommand({
  name: "revoke-session",
  reads: ({ sessionId }: RevokeSession) => ({ found: session.of(sessionId) }),
  decide: ({ sessionId, reason, by }, { found }): Decision<undefined> => {
    if (found === undefined) return unknownSession(sessionId);
    if (found.status !== "active") return accept([], undefined);
    const { studentId } = found;
    return accept(
      [fact(sessionEvents, SessionRevoked, { sessionId, studentId, reason, revokedBy: by })],
      undefined,
      {
        deadlines: [sessionEnd.cancel(sessionId)],
      },
    );
  },
});
