import type { FastifyRequest } from "fastify";

import { forbidden, refused } from "./problems.ts";

/** Who acts on an open server, where nobody puts a name to it. */
const anybody = "HTTP";

/**
 * Whose name an act is recorded under: the session's subject. On a server that asks nobody who he
 * is, it is who they say.
 *
 * @throws ProblemError 403 `forbidden` where the body names somebody else than the session does.
 */
export function actedBy(
  { identity }: Pick<FastifyRequest, "identity">,
  { by }: { readonly by?: string | undefined },
): string {
  if (identity === undefined) return by ?? anybody;
  const { subject } = identity;
  if (by === undefined || by === subject) return subject;
  throw refused(
    forbidden(
      `This session is ${subject}'s: an act of it can't be recorded as another's. Leave out \`by\`.`,
    ),
  );
}
