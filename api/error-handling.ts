import type { FastifyError, FastifyInstance, FastifyRequest } from "fastify";

import { FatalError, RecordError, RefoldError, TransientError } from "../engine/errors.ts";
import { signInBusy } from "./access/problems.ts";
import { pathOf, type Problem, ProblemError, retryAfter, sendProblem } from "./problem.ts";
import { type ProblemCode, statusOf } from "./problem-codes.ts";

/** Codes of Fastify's own refusals, with ours. */
const codesOfFastify: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "media-type-unsupported",
  FST_ERR_CTP_INVALID_JSON_BODY: "json-invalid",
  FST_ERR_CTP_EMPTY_JSON_BODY: "json-invalid",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "content-length-invalid",
  FST_ERR_BAD_URL: "url-invalid",
  FST_ERR_MAX_PARAM_LENGTH: "url-invalid",
};

/** Makes every error an answer; what nobody expected is logged and told without its inside. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    logUnexpected(error, request);
    return sendProblem(request, reply, problemOf(error));
  });
}

/** What has no answer of its own is there for whoever runs the server. */
export function logUnexpected(error: unknown, request: FastifyRequest): void {
  if (problemOf(error).status !== 500) return;
  // Without the query: a ticket may stand there.
  request.log.error({ err: error, url: pathOf(request.url) }, "failed");
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return problemOfEngine(error) ?? problemOfFastify(error) ?? unexpected;
}

const unexpected: Problem = {
  status: 500,
  code: "internal",
  detail: "The server met an error that it did not expect; its log has the cause.",
};

function problemOfEngine(error: unknown): Problem | undefined {
  if (error instanceof RecordError && error.code === "cursor-invalid") {
    return {
      status: 400,
      code: "cursor-invalid",
      detail: "This cursor was not given by this list. Begin again without one.",
    };
  }
  const past = problemOfPast(error);
  if (past !== undefined) return past;
  if (error instanceof FatalError && error.code === "no-generation") {
    return {
      status: 503,
      code: "not-ready",
      detail: "The read model has not been built yet. Try again in a moment.",
      headers: retryAfter(1),
    };
  }
  if (error instanceof TransientError && error.code === "sign-in-busy") return signInBusy;
  if (error instanceof TransientError && error.code === "storage-full") {
    return {
      status: 503,
      code: "storage-full",
      detail: "The disk of the event store is full. Commands are taken again when there is room.",
      headers: retryAfter(5),
    };
  }
  if (error instanceof TransientError) {
    return {
      status: 503,
      code: "unavailable",
      detail: "A server behind this one did not answer. Try again in a moment.",
      headers: retryAfter(1),
    };
  }
  return undefined;
}

/** What keeps a question about the past from being answered; its text is for the client as it is. */
function problemOfPast(error: unknown): Problem | undefined {
  if (!(error instanceof RefoldError) || !isOfPast(error.code)) return undefined;
  const { code, message: detail } = error;
  const problem = { status: statusOf(code), code, detail };
  return error instanceof TransientError ? { ...problem, headers: retryAfter(1) } : problem;
}

const ofPast = [
  "at-in-future",
  "at-not-settled",
  "history-gone",
  "history-too-large",
  "history-busy",
] as const;

const isOfPast = (code: string): code is (typeof ofPast)[number] =>
  (ofPast as readonly string[]).includes(code);

function problemOfFastify(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode, code } = error as Partial<FastifyError>;
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const ours = codesOfFastify[code ?? ""] ?? "bad-request";
  return { status: statusOf(ours), code: ours, detail: error.message };
}
