import { STATUS_CODES } from "node:http";

import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";

import type { ProblemCode } from "./problem-codes.ts";

declare module "fastify" {
  interface FastifyReply {
    /** The problem that the answer is; undefined: it is none. */
    problemCode: ProblemCode | undefined;
  }
}

/** What went wrong, for programs and people. */
export interface Problem {
  readonly status: number;
  /** Stable: what a client decides by. */
  readonly code: ProblemCode;
  /** One sentence for a person. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A problem on its way to the error handler. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/**
 * The body of every error answer (RFC 9457), as `application/problem+json`. Routes refer to it by
 * its id.
 */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: "`urn:refold:problem:` and the code." }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    instance: Type.String({ description: "Path of the request." }),
    errors: Type.Optional(
      Type.Array(Type.Object({ at: Type.String(), fault: Type.String() }), {
        description: "Where a request doesn't fit its schema.",
      }),
    ),
  },
  { $id: "Problem", additionalProperties: true },
);

export const problemMedia = "application/problem+json; charset=utf-8";

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
): FastifyReply {
  const { status, code, headers } = problem;
  reply.problemCode = code;
  if (headers !== undefined) void reply.headers(headers);
  return reply
    .code(status)
    .header("content-type", problemMedia)
    .send(problemText(request.url, problem));
}

export function problemText(url: string, problem: Problem): string {
  const { status, code, detail, more } = problem;
  return JSON.stringify({
    type: `urn:refold:problem:${code}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    code,
    instance: pathOf(url),
    ...more,
  });
}

export function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

/** Says when to come again, in whole seconds. */
export const retryAfter = (seconds: number): Readonly<Record<string, string>> => ({
  "retry-after": String(seconds),
});
