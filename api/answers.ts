import { STATUS_CODES } from "node:http";

import { type TSchema, Type } from "typebox";

import type { ProblemSchema } from "./problem.ts";
import { meaningOf, type ProblemCode, statusOf } from "./problem-codes.ts";

/** Schema of a header by its name. */
export type HeaderSchemas = Readonly<Record<string, TSchema>>;

/** A header that an answer of its status may do without. */
export const sometimes = (schema: TSchema): TSchema => ({ ...schema, "x-sometimes": true });

/** One answer of a route: a body of one media type, in the form that Fastify and OpenAPI share. */
export interface Answer<Body extends TSchema = TSchema, Media extends string = string> {
  readonly description: string;
  readonly headers?: HeaderSchemas;
  readonly content: { readonly [M in Media]: { readonly schema: Body } };
}

export function jsonAnswer<Body extends TSchema>(
  description: string,
  schema: Body,
  headers?: HeaderSchemas,
): Answer<Body, "application/json"> {
  const content = { "application/json": { schema } };
  return { description, ...(headers === undefined ? {} : { headers }), content };
}

/** An answer without a body. */
export const emptyAnswer = (description: string, headers: HeaderSchemas = {}) =>
  Type.Null({ description, headers });

/** A body that is text of some other kind: no JSON. */
export const textAnswer = (description: string, media: string): Answer => ({
  description,
  content: { [media]: { schema: Type.String() } },
});

/** Problems that any route may answer with. */
const ofEveryRoute: readonly ProblemCode[] = [
  "url-invalid",
  "http-invalid",
  "bad-request",
  "request-timeout",
  "url-too-long",
  "query-too-long",
  "too-many-client-connections",
  "headers-too-large",
  "internal",
  "too-many-connections",
  "answer-timeout",
];

/** Problems of all routes but the probes, which are answered whatever happens. */
const ofLimitedRoutes: readonly ProblemCode[] = [
  "validation",
  "too-many-requests",
  "overloaded",
  "draining",
];

/** Problems of routes that take a body. */
export const bodyProblems: readonly ProblemCode[] = [
  "json-invalid",
  "content-length-invalid",
  "body-too-large",
  "media-type-unsupported",
];

/** Problems of routes that ask a server behind this one. */
export const storeProblems: readonly ProblemCode[] = ["unavailable", "not-ready"];

const retryAfterHeader: HeaderSchemas = {
  "retry-after": Type.String({ pattern: "^[1-9][0-9]*$", description: "In seconds." }),
};

const headersOfStatus: Readonly<Record<number, HeaderSchemas>> = {
  401: { "www-authenticate": sometimes(Type.String()) },
  426: { upgrade: Type.Literal("websocket") },
  429: retryAfterHeader,
  503: retryAfterHeader,
};

/** Where an answer keeps its codes, for those that come to it. */
const codesMember = "x-codes";

interface ProblemAnswer extends Answer<typeof ProblemSchema, "application/problem+json"> {
  readonly [codesMember]: readonly ProblemCode[];
}
export type ProblemAnswers = Readonly<Record<"4xx", ProblemAnswer>>;

/**
 * The problems of a route by status, those that every route has included; `headers` are those of
 * this route's own problems, by status.
 */
export const problemAnswers = (
  codes: readonly ProblemCode[],
  headers: Readonly<Record<number, HeaderSchemas>> = {},
): ProblemAnswers => answersOf([...codes, ...ofLimitedRoutes, ...ofEveryRoute], headers);

/** The same for health and metrics, which no limit of requests keeps from answering. */
export const probeProblemAnswers = (codes: readonly ProblemCode[] = []): ProblemAnswers =>
  answersOf([...codes, ...ofEveryRoute], {});

/** A route's answers with more problems: those that have to do with who asks. */
export function withProblems(
  answers: Readonly<Record<string, unknown>>,
  codes: readonly ProblemCode[],
): Readonly<Record<string, unknown>> {
  const all = { ...answers };
  for (const [status, ofStatus] of byStatusOf(codes)) {
    const known = (answers[status] ?? {}) as Partial<ProblemAnswer>;
    const together = [...new Set([...(known[codesMember] ?? []), ...ofStatus])];
    const headers = { ...headersOfStatus[status], ...known.headers };
    const answer = problemAnswer(status, together, headers);
    all[status] = { ...answer, content: { ...known.content, ...answer.content } };
  }
  return all;
}

function answersOf(
  codes: readonly ProblemCode[],
  headers: Readonly<Record<number, HeaderSchemas>>,
): ProblemAnswers {
  const answers = [...byStatusOf(codes)].map(([status, ofStatus]) => {
    const all = { ...headersOfStatus[status], ...headers[status] };
    return [status, problemAnswer(status, ofStatus, all)] as const;
  });
  // Which statuses there are is known at run time only: to types, all are as one.
  return Object.fromEntries(answers) as unknown as ProblemAnswers;
}

function byStatusOf(codes: readonly ProblemCode[]): ReadonlyMap<number, readonly ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const status = statusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function problemAnswer(
  status: number,
  codes: readonly ProblemCode[],
  headers: HeaderSchemas,
): ProblemAnswer {
  const meanings = codes.map((code) => `- \`${code}\`: ${meaningOf(code)}`);
  const own = { status: Type.Unsafe({ const: status }), code: Type.Enum([...codes]) };
  const schema = Type.Intersect([Type.Ref("Problem#"), Type.Object(own)]);
  return {
    description: [`${STATUS_CODES[status] ?? "Problem"}:`, "", ...meanings].join("\n"),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    [codesMember]: codes,
    content: { "application/problem+json": { schema: schema as unknown as typeof ProblemSchema } },
  };
}
