import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";

import {
  createSession,
  revokeSession,
  type RevokeSession,
} from "../../processors/sessions/index.ts";
import { activeSessions, type SessionRow, sessions } from "../../projections/sessions/index.ts";
import { sessionEvents } from "../../schemas/topics.ts";
import { actedBy } from "../access/acted-by.ts";
import type { Access, AccountClaim, Identity } from "../access/contract.ts";
import { SignInLimits } from "../access/sign-in-limits.ts";
import { refused, sessionRequired, signInRefused } from "../access/problems.ts";
import { access as rules } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import { decided } from "../commands/run-command.ts";
import { receivedProblems, toldHeaders } from "../commands/shapes.ts";
import { sendTold, toldOfResult } from "../commands/told.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { clientOf } from "../limits/client.ts";
import { laneOfFact, placeOf, writtenPosition } from "../position-header.ts";
import { ProblemError } from "../problem.ts";
import { problemOfRefusal } from "../refusals.ts";
import {
  Id,
  iso,
  nullable,
  pageMembers,
  pageOf,
  queryProblems,
  Time,
  WaitHeaders,
} from "../shapes.ts";

const Role = Type.Enum(["student", "viewer", "operator", "admin"]);
const Subject = Type.String({ description: "A student's id, or a user's name." });
const noStore = { "cache-control": Type.Literal("no-store") };

const Opened = Type.Object({
  token: Type.String({ description: "For `Authorization: Bearer`, until the session ends." }),
  sessionId: Type.String(),
  subject: Subject,
  role: Role,
  expiresAt: Time,
});

const SignIn = Type.Object(
  {
    studentId: Type.Optional(Id),
    user: Type.Optional(Id),
    password: Type.String({ minLength: 1, maxLength: 1_024 }),
  },
  {
    additionalProperties: false,
    minProperties: 2,
    maxProperties: 2,
    description: "A student's id or a user's name, and the password.",
  },
);

const Ended = Type.Object({ sessionId: Type.String(), status: Type.Literal("ended") });

const Listed = Type.Object({
  sessionId: Type.String(),
  subject: Subject,
  role: Type.String(),
  createdAt: Time,
  expiresAt: Time,
});

/** Signing in and out, and who is signed in. */
export function sessionRoutes(app: ApiServer, context: ApiContext, access: Access): void {
  signInRoute(app, context, access);
  signOutRoute(app, context, access);
  revokeRoute(app, context, access);
  listRoute(app, context);
}

function signInRoute(app: ApiServer, context: ApiContext, access: Access): void {
  const { clock, metrics } = context.deps;
  const limits = new SignInLimits({ ...access, clock, metrics });
  const schema = {
    tags: [tags.sessions],
    summary: "Signs in, by password: a new session each time",
    body: SignIn,
    response: {
      201: jsonAnswer("The session and its token.", Opened, {
        ...noStore,
        "refold-position": Type.String(),
      }),
      ...problemAnswers(
        ["sign-in-refused", "too-many-sign-ins", "sign-in-busy", ...receivedProblems],
        { 401: { "www-authenticate": Type.String() } },
      ),
    },
  };
  app.route({
    method: "POST",
    url: "/sessions",
    config: { access: rules.anyone, begins: true },
    schema,
    handler: async (request, reply) => {
      const account = claimOf(request.body);
      limits.count(account, clientOf(request.ip));
      const check = () => access.accounts.check(account);
      const proved = await (request.place?.aside(check) ?? check());
      const outcome = proved === undefined ? "refused" : "accepted";
      metrics.count("sign_ins_total", 1, { outcome });
      if (proved === undefined) throw refused(signInRefused);
      const { identity, position } = await open(context, { request, access, proved });
      const token = await access.tokens.issue(identity);
      void reply.code(201).headers({ "cache-control": "no-store", "refold-position": position });
      const { expiresAtMs, ...told } = identity;
      return { token, ...told, expiresAt: iso(expiresAtMs) };
    },
  });
}

/** The schema has let exactly one of both names through. */
const claimOf = ({ studentId, user, password }: Static<typeof SignIn>): AccountClaim =>
  studentId === undefined
    ? { kind: "user", name: user ?? "", password }
    : { kind: "student", name: studentId, password };

interface Proved {
  readonly request: FastifyRequest;
  readonly access: Access;
  readonly proved: Pick<Identity, "subject" | "role">;
}

const eventRoles = {
  student: "STUDENT",
  viewer: "VIEWER",
  operator: "OPERATOR",
  admin: "ADMIN",
} as const;

async function open(context: ApiContext, { request, access, proved }: Proved) {
  const { subject, role } = proved;
  const { sessionMs: durationMs } = access.limits;
  const call = createSession({ studentId: subject, role: eventRoles[role], durationMs });
  const result = await decided(context, request, call);
  if (result.outcome !== "accepted") throw unexpectedly(result.outcome);
  const { sessionId, expiresAt: expiresAtMs } = result.answer;
  const places = result.recorded.map(({ fact, at }) => placeOf(laneOfFact(fact), at));
  const position = writtenPosition(await context.waits.incarnation(), places);
  return { identity: { sessionId, subject, role, expiresAtMs }, position };
}

const unexpectedly = (outcome: string): Error =>
  new Error(`A session that nothing speaks against was ${outcome}.`);

const endedAnswers = (problems: Parameters<typeof problemAnswers>[0]) => ({
  200: jsonAnswer("The session has ended.", Ended, {
    "refold-position": toldHeaders["refold-position"] ?? Type.String(),
  }),
  ...problemAnswers([...problems, ...receivedProblems]),
});

function signOutRoute(app: ApiServer, context: ApiContext, access: Access): void {
  const schema = {
    tags: [tags.sessions],
    summary: "Signs out: the session ends at once; twice is as once",
    response: endedAnswers(["session-unknown"]),
  };
  app.route({
    method: "DELETE",
    url: "/sessions/current",
    config: { access: rules.signingOut },
    schema,
    handler: (request, reply) => {
      const { identity } = request;
      if (identity === undefined) throw refused(sessionRequired);
      const { sessionId, subject: by } = identity;
      const wish = { sessionId, reason: "SIGNED_OUT", by } as const;
      return end(context, { request, reply, access, wish });
    },
  });
}

function revokeRoute(app: ApiServer, context: ApiContext, access: Access): void {
  const schema = {
    tags: [tags.sessions],
    summary: "Ends anybody's session before its time; twice is as once",
    params: Type.Object({ id: Id }),
    response: endedAnswers(["session-unknown"]),
  };
  app.route({
    method: "DELETE",
    url: "/sessions/:id",
    config: { access: rules.operator },
    schema,
    handler: (request, reply) => {
      const by = actedBy(request, {});
      const wish = { sessionId: request.params.id, reason: "BY_OPERATOR", by } as const;
      return end(context, { request, reply, access, wish });
    },
  });
}

interface Ending {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly access: Access;
  readonly wish: RevokeSession;
}

async function end(
  context: ApiContext,
  { request, reply, access, wish }: Ending,
): Promise<Static<typeof Ended>> {
  const { sessionId } = wish;
  const result = await decided(context, request, revokeSession(wish));
  if (result.outcome === "refused") throw new ProblemError(problemOfRefusal(result.refusal));
  // Known here before anybody is told that it is done.
  access.sessions.ended(sessionId, "revoked");
  const incarnation = await context.waits.incarnation();
  const tell = () => ({
    status: 200,
    body: { sessionId, status: "ended" },
    of: { topic: sessionEvents, key: sessionId },
  });
  const told = toldOfResult(result, { url: request.url, incarnation, tell });
  await sendTold(reply, told, context.deps.eventStore);
  // It has gone out as text.
  return reply as never;
}

function listRoute(app: ApiServer, { options, waits, deps }: ApiContext): void {
  const schema = {
    tags: [tags.sessions],
    summary: "Who is signed in, in pages",
    querystring: Type.Object(pageMembers(options)),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer(
        "Open sessions, the oldest first.",
        Type.Object({ sessions: Type.Array(Listed), next: nullable(Type.String()) }),
      ),
      ...problemAnswers(["cursor-invalid", ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/sessions",
    config: { access: rules.operator },
    schema,
    handler: async (request) => {
      await waits.until(sessions, request.headers["refold-wait-for"]);
      const { result } = await activeSessions(deps.reader, pageOf(request.query, options));
      return { sessions: result.rows.map(sessionShape), next: result.next ?? null };
    },
  });
}

const sessionShape = (row: SessionRow): Static<typeof Listed> => ({
  sessionId: row.sessionId,
  subject: row.studentId,
  role: row.role.toLowerCase(),
  createdAt: iso(row.createdAt),
  expiresAt: iso(row.expiresAt),
});
