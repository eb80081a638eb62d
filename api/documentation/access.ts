import type { RouteOptions } from "fastify";

import { sessionProblems } from "../access/problems.ts";
import { accessOf, type AccessRule } from "../access/rules.ts";
import { withProblems } from "../answers.ts";
import type { ProblemCode } from "../problem-codes.ts";

export const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
  ticket: {
    type: "apiKey",
    in: "query",
    name: "ticket",
    description: "Of `POST /tickets`, in place of the header that browsers' streams can't send.",
  },
} as const;

/** Tells, beside what a route answers, who may ask and how somebody else is refused. */
export function documentAccess(route: RouteOptions): void {
  const rule = accessOf(route);
  if (rule.kind === "anyone" || rule.kind === "signed-by-provider") return;
  const { schema = {}, config = {} } = route;
  const streams = config.stream === true;
  const codes = [
    ...problemsOf(rule, route),
    ...(streams ? (["ticket-invalid", "origin-refused"] as const) : []),
  ];
  route.schema = {
    ...schema,
    description: [schema.description, textOf(rule)].filter(Boolean).join("\n\n"),
    security: [{ bearer: [] }, ...(streams ? [{ ticket: [] }] : [])],
    response: withProblems(schema.response as Readonly<Record<string, unknown>>, codes),
  };
}

function problemsOf(rule: AccessRule, { method }: RouteOptions): readonly ProblemCode[] {
  const reads = [method].flat().every((one) => one === "GET" || one === "HEAD");
  return [
    ...sessionProblems,
    "unavailable",
    ...(rule.kind === "signed-in" ? [] : (["forbidden"] as const)),
    ...(reads ? [] : (["sessions-stale"] as const)),
  ];
}

function textOf(rule: AccessRule): string {
  switch (rule.kind) {
    case "anyone":
      return "Anyone.";
    case "signed-by-provider":
      return "The payment provider, by its signature.";
    case "signed-in":
      return "Whoever is signed in.";
    case "own":
      return "The student whose own it is, or the role `operator`.";
    case "role":
      return `The role \`${rule.least}\`${rule.least === "admin" ? "" : " or more"}.`;
    default:
      return rule satisfies never;
  }
}
