import type { GivenEvent } from "../../engine/testing/index.ts";
import { createSession, expireSession, revokeSession } from "../../processors/sessions/index.ts";
import { ModuleHistory } from "../app/module-history.ts";

/** Sessions that go on, are ended by those who began them, and run out. */
export function sessionFacts(): readonly GivenEvent[] {
  const history = new ModuleHistory();
  const durationMs = 900;
  const students = Array.from({ length: 24 }, (_, index) => `s-${index}`);
  const begun = students.map((studentId) => {
    history.nowMs += 10;
    return history.must(createSession({ studentId, role: "STUDENT", durationMs })).sessionId;
  });
  for (const [index, sessionId] of begun.entries()) {
    if (index % 3 === 0)
      history.must(revokeSession({ sessionId, reason: "SIGNED_OUT", by: "ada" }));
  }
  history.nowMs += durationMs;
  for (const [index, sessionId] of begun.entries()) {
    if (index % 3 < 2) history.must(expireSession({ sessionId }));
  }
  return history.facts.map(({ type, event, recordedAtMs }) => ({ type, event, recordedAtMs }));
}
