import { type Decision, refuse } from "../../engine/decision/definition.ts";

/** Every code that a refusal of the session commands carries. */
export type SessionRefusalCode = "session-unknown";

const code: SessionRefusalCode = "session-unknown";

export const unknownSession = (sessionId: string): Decision<never> =>
  refuse(code, `There is no session ${sessionId}.`);
