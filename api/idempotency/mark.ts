import { createHash } from "node:crypto";

import type { FastifyRequest } from "fastify";

import { canonicalJson } from "../../engine/digest.ts";
import type { OnceMark } from "../../engine/ports/alongside.ts";
import { pathOf, ProblemError } from "../problem.ts";
import { routeOf } from "../route-name.ts";
import { idempotencyKeyOf } from "./key.ts";

/** Whose key it is, and of what request. */
export type RequestMark = Omit<OnceMark, "answer">;

/** Whether a command may come without a key. */
export type KeyRule = "optional" | "required";

/**
 * @throws ProblemError 400 `idempotency-key-invalid`, or `idempotency-key-missing` where the rule
 * requires one.
 */
export function markOf(request: FastifyRequest, rule: KeyRule): RequestMark | undefined {
  const key = idempotencyKeyOf(request);
  if (key !== undefined) {
    return { scope: scopeOf(request), key, fingerprint: fingerprintOf(request) };
  }
  if (rule === "optional") return undefined;
  throw new ProblemError({
    status: 400,
    code: "idempotency-key-missing",
    detail: `${routeOf(request)} needs an Idempotency-Key, so that it can be sent again safely.`,
  });
}

/** The keys of one route have nothing to do with those of another. Everybody shares them. */
const scopeOf = (request: FastifyRequest): string => routeOf(request);

/**
 * Equal for requests that ask for the same: the order of a body's members and the space between
 * them don't count.
 */
function fingerprintOf({ method, url, body }: FastifyRequest): string {
  const asked = `${method} ${pathOf(url)}\n${canonicalJson(body ?? null)}`;
  return createHash("sha256").update(asked).digest("base64url");
}
