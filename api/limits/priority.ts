import type { FastifyRequest } from "fastify";

/**
 * What a request is for, when not all can be taken. Each kind has a limit of its own, and waits that
 * it is held to: what is refused first waits least.
 *
 * `read`: it can be repeated at leisure. `begin`: a command with which something begins, such as a
 * registration. `finish`: one that goes on with what has begun or ends it, such as a payment for a
 * seat that is held, or a withdrawal, which makes room.
 */
export type Priority = "read" | "begin" | "finish";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its commands begin something; those of other routes go on with what has begun. */
    begins?: true;
  }
}

const reads: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * undefined: never refused for load. Paths that are not there cost no more than a refusal, and
 * operators are few, and needed most when there is too much to do.
 */
export function priorityOf({ method, is404, routeOptions }: FastifyRequest): Priority | undefined {
  const { access, begins } = routeOptions.config;
  if (is404 || access?.kind === "role") return undefined;
  if (reads.has(method)) return "read";
  return begins === true ? "begin" : "finish";
}

/**
 * Whether how long the answer takes says how busy the server is. Streams last as long as their
 * client listens, a query may wait for its read model, and one of the past reads much: those have
 * bounds of their own.
 */
export function takesItsTime({ routeOptions, headers, query }: FastifyRequest): boolean {
  if (routeOptions.config.stream === true || headers["refold-wait-for"] !== undefined) return true;
  return (query as { readonly at?: unknown } | undefined)?.at !== undefined;
}
