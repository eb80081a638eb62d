import { test } from "vitest";

import { fact } from "../../engine/decision/definition.ts";
import { given } from "../../engine/decision/given.ts";
import {
  createSession,
  expireSession,
  revokeSession,
  sessionEnd,
} from "../../processors/sessions/index.ts";
import { SessionCreated, SessionExpired, SessionRevoked } from "../../schemas/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";

const own = { sessionId: "s-1", studentId: "ada" };
const created = fact(sessionEvents, SessionCreated, { ...own, role: "STUDENT", expiresAt: 900 });
const expired = fact(sessionEvents, SessionExpired, own);
const revoked = fact(sessionEvents, SessionRevoked, {
  ...own,
  reason: "SIGNED_OUT",
  revokedBy: own.studentId,
});
const end = revokeSession({ sessionId: "s-1", reason: "SIGNED_OUT", by: "ada" });
const pass = expireSession({ sessionId: "s-1" });

test("a session has an id of its own, and an end that is waited for", () => {
  const session = { ...own, sessionId: "id-1", role: "STUDENT", expiresAt: 1_500 } as const;
  given([created], { nowMs: 600 })
    .when(createSession({ studentId: "ada", role: "STUDENT", durationMs: 900 }))
    .then({
      facts: [fact(sessionEvents, SessionCreated, session)],
      answer: session,
      wanted: { deadlines: [sessionEnd.at("id-1", 1_500)] },
    });
});

test("a session that is revoked is no longer waited for, and ends once", () => {
  given([created])
    .when(end)
    .then({ facts: [revoked], wanted: { deadlines: [sessionEnd.cancel("s-1")] } });
  given([created, revoked]).when(end).then({ facts: [] });
  given([created, expired]).when(end).then({ facts: [] });
  given([]).when(end).then({ refused: "session-unknown" });
});

test("a session expires at its time, unless it has ended before", () => {
  given([created], { nowMs: 899 }).when(pass).then({ facts: [] });
  given([created], { nowMs: 900 })
    .when(pass)
    .then({ facts: [expired] });
  given([created, revoked], { nowMs: 900 }).when(pass).then({ facts: [] });
  given([created, expired], { nowMs: 900 }).when(pass).then({ facts: [] });
  given([], { nowMs: 900 }).when(pass).then({ refused: "session-unknown" });
});
