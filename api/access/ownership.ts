import type { FastifyRequest } from "fastify";

/**
 * The student whose own must be what a request without a student's name asks for; undefined: whose
 * it is doesn't matter, because an operator asks, or the server is open.
 */
export const onlyOf = ({ identity }: Pick<FastifyRequest, "identity">): string | undefined =>
  identity?.role === "student" ? identity.subject : undefined;

/** For a command: without a member where whose it is doesn't matter. */
export function ofOwner(request: Pick<FastifyRequest, "identity">): { readonly onlyOf?: string } {
  const student = onlyOf(request);
  return student === undefined ? {} : { onlyOf: student };
}

/** A found row, unless it is another student's: then it is as if there were none. */
export function ownRow<Row extends { readonly studentId: string }>(
  request: Pick<FastifyRequest, "identity">,
  row: Row | undefined,
): Row | undefined {
  const student = onlyOf(request);
  return student === undefined || row?.studentId === student ? row : undefined;
}
