import { type Problem, ProblemError, retryAfter } from "../problem.ts";
import type { ProblemCode } from "../problem-codes.ts";
import type { SessionEnding } from "./contract.ts";

/** RFC 6750, 3.1: a request without a token is told the scheme alone. */
const scheme = 'Bearer realm="refold"';

const invalid = { "www-authenticate": `${scheme}, error="invalid_token"` };

export const sessionRequired: Problem = {
  status: 401,
  code: "session-required",
  detail: "Sign in by POST /sessions, and send its token as `Authorization: Bearer <token>`.",
  headers: { "www-authenticate": scheme },
};

export const tokenInvalid: Problem = {
  status: 401,
  code: "token-invalid",
  detail: "The token is not one of this server's. Sign in by POST /sessions.",
  headers: invalid,
};

export const sessionOver: Readonly<Record<SessionEnding, Problem>> = {
  expired: {
    status: 401,
    code: "session-expired",
    detail: "The session's time is over. Sign in again by POST /sessions.",
    headers: invalid,
  },
  revoked: {
    status: 401,
    code: "session-revoked",
    detail: "The session was ended. Sign in again by POST /sessions.",
    headers: invalid,
  },
};

export const ticketInvalid: Problem = {
  status: 401,
  code: "ticket-invalid",
  detail: "The ticket is unknown, used or too old. Ask for another by POST /tickets.",
  headers: { "www-authenticate": scheme },
};

export const signInRefused: Problem = {
  status: 401,
  code: "sign-in-refused",
  detail: "There is no such account, or it has another password.",
  headers: { "www-authenticate": scheme },
};

export const forbidden = (detail: string): Problem => ({ status: 403, code: "forbidden", detail });

export const originRefused = (origin: string): Problem => ({
  status: 403,
  code: "origin-refused",
  detail: `Pages of ${origin} may not open streams here: see --origin.`,
});

export const sessionsStale: Problem = {
  status: 503,
  code: "sessions-stale",
  detail: "Which sessions have ended is not known here at the moment. Reads go on; try again.",
  headers: retryAfter(1),
};

export const signInBusy: Problem = {
  status: 503,
  code: "sign-in-busy",
  detail: "As many passwords are being checked as may be. Try again in a moment.",
  headers: retryAfter(2),
};

export const ticketsBusy: Problem = {
  status: 503,
  code: "too-many-tickets",
  detail: "As many tickets wait for being used as may be. Try again in a moment.",
  headers: retryAfter(2),
};

export const tooManySignIns = (waitMs: number): Problem => ({
  status: 429,
  code: "too-many-sign-ins",
  detail: "Too many sign-ins to this account, or from this address. Wait before the next.",
  headers: retryAfter(Math.max(1, Math.ceil(waitMs / 1_000))),
});

/** Problems of a request that needs a session. */
export const sessionProblems: readonly ProblemCode[] = [
  "session-required",
  "token-invalid",
  "session-expired",
  "session-revoked",
];

export const refused = (problem: Problem): ProblemError => new ProblemError(problem);
