import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { SessionExpired } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import { unknownSession } from "./refusals.ts";
import { session } from "./session.ts";

export interface ExpireSession {
  readonly sessionId: string;
}

/** Records that a session's time is over. Where it has ended otherwise, nothing happens. */
export const expireSession = defineCommand({
  name: "expire-session",
  reads: ({ sessionId }: ExpireSession) => ({ found: session.of(sessionId) }),
  decide: ({ sessionId }, { found }, context): Decision<undefined> => {
    if (found === undefined) return unknownSession(sessionId);
    if (found.status !== "active" || !context.reached(found.expiresAtMs)) {
      return accept([], undefined);
    }
    const { studentId } = found;
    return accept([fact(sessionEvents, SessionExpired, { sessionId, studentId })], undefined);
  },
});
