import { createHash } from "node:crypto";

import type { FastifyRequest } from "fastify";

import { canonicalJson } from "../../engine/digest.ts";
import type { OnceMark } from "../../engine/ports/alongside.ts";
import { pathOf, ProblemError } from "../problem.ts";
import { routeOf } from "../route-name.ts";
import { idempotencyKeyOf } from "./key.ts";

/** Whose key it is, and of what request. */
export type RequestMark = Pick<OnceMark, "scope" | "key" | "fingerprint">;

/** @throws ProblemError 400 `idempotency-key-invalid`. */
export function markOf(request: FastifyRequest): RequestMark | undefined {
  const key = idempotencyKeyOf(request);
  if (key === undefined) return undefined;
  return { scope: scopeOf(request), key, fingerprint: fingerprintOf(request) };
}

/** For `preValidation` of a route whose commands must have a key. */
export const keyRequired = async (request: FastifyRequest): Promise<void> => {
  if (idempotencyKeyOf(request) !== undefined) return;
  throw new ProblemError({
    status: 400,
    code: "idempotency-key-missing",
    detail: `${routeOf(request)} needs an Idempotency-Key, so that it can be sent again safely.`,
  });
};

/**
 * The keys of one route have nothing to do with those of another, nor those of one account with
 * another's. On a server that is open to everybody, everybody shares them.
 */
function scopeOf(request: FastifyRequest): string {
  const { identity } = request;
  if (identity === undefined) return routeOf(request);
  const kind = identity.role === "student" ? "student" : "user";
  return `${routeOf(request)} ${kind}:${identity.subject}`;
}

/**
 * Equal for requests that ask for the same: the order of a body's members and the space between
 * them don't count.
 */
function fingerprintOf({ method, url, body }: FastifyRequest): string {
  const asked = `${method} ${pathOf(url)}\n${canonicalJson(body ?? null)}`;
  return createHash("sha256").update(asked).digest("base64url");
}
