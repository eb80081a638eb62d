import type { FastifyRequest } from "fastify";

import type { Clock } from "../../engine/ports/clock.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { type Problem, sendProblem } from "../problem.ts";
import { type Access, type Identity, type Role, TokenRefused } from "./contract.ts";
import { strangeOrigin } from "./origin.ts";
import {
  forbidden,
  originRefused,
  sessionOver,
  sessionRequired,
  sessionsStale,
  ticketInvalid,
  tokenInvalid,
} from "./problems.ts";
import { accessOf, type AccessRule } from "./rules.ts";
import type { Tickets } from "./tickets.ts";
import { isOver, VerifiedTokens } from "./verified-tokens.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks, as far as the route's rule needs to know; undefined: anybody. */
    identity: Identity | undefined;
  }
}

/** What is guarded, and by what. */
export interface Guarded extends Pick<ApiContext, "tickets"> {
  readonly deps: Pick<ApiDependencies, "access" | "clock">;
}

interface GuardOptions {
  readonly access: Access;
  readonly tickets: Tickets;
  readonly clock: Clock;
}

/**
 * Lets requests through that their route's rule allows. Everything but a student who is named in
 * the body is looked at before a byte of the body is read. On a server without `access` nobody is
 * asked; its routes have their rules all the same.
 */
export function guardRoutes(app: ApiServer, { deps: { access, clock }, tickets }: Guarded): void {
  app.decorateRequest("identity", undefined);
  app.addHook("onRoute", (route) => void accessOf(route));
  if (access === undefined || tickets === undefined) return;
  const guard = new Guard({ access, tickets, clock });
  app.addHook("onRequest", (request, reply, done) => {
    const answer = (refusal: Verdict) => {
      if (refusal === undefined) done();
      else void sendProblem(request, reply, refusal);
    };
    const verdict = guard.admit(request);
    if (verdict instanceof Promise) verdict.then(answer, done);
    else answer(verdict);
  });
  app.addHook("preHandler", (request, reply, done) => {
    const refusal = refusalOfBody(request);
    if (refusal === undefined) done();
    else void sendProblem(request, reply, refusal);
  });
}

type Verdict = Problem | undefined;

/** Judges requests by their routes' rules. */
class Guard {
  readonly #options: GuardOptions;
  readonly #verified: VerifiedTokens;

  constructor(options: GuardOptions) {
    const { access, clock } = options;
    this.#options = options;
    this.#verified = new VerifiedTokens({ ...access, clock });
  }

  /** A promise only where a token is seen for the first time. */
  admit(request: FastifyRequest): Verdict | Promise<Verdict> {
    const { access: rule, stream } = request.routeOptions.config;
    if (rule === undefined || rule.kind === "anyone" || rule.kind === "signed-by-provider") {
      return undefined;
    }
    const refused = stream === true ? this.#refusalOfOrigin(request) : undefined;
    if (refused !== undefined) return refused;
    const token = bearerOf(request);
    if (token !== undefined) return this.#byToken(token, { request, rule });
    const ticket = stream === true ? ticketOf(request) : undefined;
    return ticket === undefined ? sessionRequired : this.#byTicket(ticket, { request, rule });
  }

  #byToken(token: string, asked: Asked): Verdict | Promise<Verdict> {
    if (token.length > this.#options.access.limits.tokenBytesMax) return tokenInvalid;
    const known = this.#verified.find(token);
    return known === undefined ? this.#verify(token, asked) : this.#judge(known, asked);
  }

  async #verify(token: string, asked: Asked): Promise<Verdict> {
    try {
      return this.#judge(await this.#verified.verify(token), asked);
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
      return error.reason === "expired" ? sessionOver.expired : tokenInvalid;
    }
  }

  #byTicket(ticket: string, asked: Asked): Verdict {
    const identity = this.#options.tickets.use(ticket);
    return identity === undefined ? ticketInvalid : this.#judge(identity, asked);
  }

  #judge(identity: Identity, { request, rule }: Asked): Verdict {
    const { access, clock } = this.#options;
    const { sessions, limits } = access;
    if (isOver(identity, { clock, limits })) return sessionOver.expired;
    const ending = sessions.endOf(identity.sessionId);
    const signsOut = rule.kind === "signed-in" && rule.ended === "accepted";
    if (ending !== undefined && !(signsOut && ending === "revoked")) return sessionOver[ending];
    request.identity = identity;
    const refused = refusalOfRule(identity, rule) ?? refusalOfPath(request, rule);
    // Whoever signs out is not kept from it by what isn't known of others.
    return (
      refused ?? (!signsOut && changes(request) && isStale(access) ? sessionsStale : undefined)
    );
  }

  #refusalOfOrigin(request: FastifyRequest): Verdict {
    const origin = strangeOrigin(request, this.#options.access.origins);
    return origin === undefined ? undefined : originRefused(origin);
  }
}

interface Asked {
  readonly request: FastifyRequest;
  readonly rule: AccessRule;
}

/** RFC 6750, 2.1; the scheme's case doesn't count. */
function bearerOf({ headers }: FastifyRequest): string | undefined {
  const given = headers.authorization;
  if (given === undefined || given.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return given.slice(7).trim();
}

function ticketOf({ query }: FastifyRequest): string | undefined {
  const { ticket } = query as { readonly ticket?: unknown };
  return typeof ticket === "string" ? ticket : undefined;
}

const reads: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

const changes = ({ method }: FastifyRequest): boolean => !reads.has(method);

/** A session that another process has ended could still be used here. */
export function isStale({ sessions: { ageMs }, limits: { staleMs } }: Access): boolean {
  return ageMs === undefined || ageMs > staleMs;
}

const ranks: Readonly<Record<Role, number>> = { student: 0, viewer: 1, operator: 2, admin: 3 };

/** Whether a role has all that another has. A student has none of it. */
const isAtLeast = (role: Role, least: Role): boolean => ranks[role] >= ranks[least];

function refusalOfRule({ role }: Identity, rule: AccessRule): Verdict {
  switch (rule.kind) {
    case "role":
      if (isAtLeast(role, rule.least)) return undefined;
      return forbidden(`This needs the role ${rule.least}; the session's is ${role}.`);
    case "own":
      if (role !== "viewer") return undefined;
      return forbidden("This is for the student whose own it is, and for operators.");
    case "anyone":
    case "signed-in":
    case "signed-by-provider":
      return undefined;
    default:
      return rule satisfies never;
  }
}

function refusalOfPath({ identity, params }: FastifyRequest, rule: AccessRule): Verdict {
  if (rule.kind !== "own" || rule.named !== "in-path") return undefined;
  return refusalOfStudent(identity, (params as { readonly id?: unknown }).id);
}

function refusalOfBody({ identity, body, routeOptions }: FastifyRequest): Verdict {
  const rule = routeOptions.config.access;
  if (rule?.kind !== "own" || rule.named !== "in-body") return undefined;
  return refusalOfStudent(identity, (body as { readonly studentId?: unknown }).studentId);
}

function refusalOfStudent(identity: Identity | undefined, named: unknown): Verdict {
  if (identity?.role !== "student" || named === identity.subject) return undefined;
  return forbidden(`This session is ${identity.subject}'s: it can't act for another student.`);
}
