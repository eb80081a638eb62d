import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";

import type { CommandCall } from "../../engine/decision/definition.ts";
import type { CommandResult } from "../../engine/decision/outcome.ts";
import { InvariantViolation } from "../../engine/errors.ts";
import { registerWith, withdraw } from "../../processors/seats/index.ts";
import {
  registrationById,
  registrations,
  registrationsOfModule,
  registrationsOfStudent,
} from "../../projections/registrations/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { bodyProblems, jsonAnswer, problemAnswers, storeProblems } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { storedPositionOfKey, writtenPosition } from "../position-header.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { type Problem, retryAfter, sendProblem } from "../problem.ts";
import { problemOfRefusal, registrationUnknown } from "../refusals.ts";
import { originOf } from "../request-envelope.ts";
import {
  Id,
  iso,
  pageMembers,
  pageOf,
  positionHeader,
  queryProblems,
  Registration,
  RegistrationPage,
  registrationShape,
  WaitHeaders,
} from "../shapes.ts";

const Registered = Type.Object({
  registrationId: Type.String(),
  moduleCode: Type.String(),
  studentId: Type.String(),
  status: Type.String(),
  registeredAt: Type.String({ format: "date-time" }),
});

const Withdrawn = Type.Object({
  registrationId: Type.String(),
  moduleCode: Type.String(),
  studentId: Type.String(),
  status: Type.String(),
  reason: Type.String(),
});

const registerProblems: readonly ProblemCode[] = [
  "module-unknown",
  "registration-not-open",
  "registration-closed",
  "already-registered",
  "student-module-limit",
  "module-full",
  "waitlist-not-supported",
];

const commandProblems: readonly ProblemCode[] = [
  "import-in-progress",
  "storage-full",
  ...bodyProblems,
  ...storeProblems,
];

/** A refusal is true as of a position too. */
const refusalHeaders = { 404: positionHeader, 409: positionHeader };

const registrationPages = {
  200: jsonAnswer("Registrations, the oldest first.", RegistrationPage),
  ...problemAnswers(["cursor-invalid", ...pastProblems, ...queryProblems]),
};

type Accepted<Answer> = Extract<CommandResult<Answer>, { readonly outcome: "accepted" }>;

/** Runs a command; undefined when the answer (a refusal) has been sent. */
async function execute<Answer>(
  { deps, waits }: ApiContext,
  call: CommandCall<Answer>,
  exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<Accepted<Answer> | undefined> {
  const { request, reply } = exchange;
  const incarnation = await waits.incarnation();
  const result = await deps.decider.execute(call, originOf(request));
  void reply.header("refold-position", writtenPosition(incarnation, result));
  if (result.outcome === "accepted") return result;
  void sendProblem(request, reply, problemOf(result));
  return undefined;
}

function problemOf(result: Exclude<CommandResult, Accepted<unknown>>): Problem {
  if (result.outcome === "held") return heldBy(result.by);
  if (result.outcome === "refused") return problemOfRefusal(result.refusal);
  throw new InvariantViolation("A command without a key was taken for a repeated one.");
}

const heldBy = (name: string): Problem => ({
  status: 503,
  code: "import-in-progress",
  detail: `${name} holds the store: commands are taken again when it has finished.`,
  headers: retryAfter(5),
});

export function registrationCommands(app: ApiServer, context: ApiContext): void {
  const { studentModuleLimit } = context.options;
  const register = registerWith({ studentModuleLimit });
  const body = Type.Object(
    { moduleCode: Id, studentId: Id, waitlist: Type.Optional(Type.Boolean()) },
    { additionalProperties: false },
  );
  const post = {
    tags: [tags.registrations],
    summary: "Registers a student for a module",
    body,
    response: {
      201: jsonAnswer("The seat is given or held.", Registered, {
        ...positionHeader,
        location: Type.String({ description: "Path of the registration." }),
      }),
      ...problemAnswers([...registerProblems, ...commandProblems], refusalHeaders),
    },
  };
  app.route({
    method: "POST",
    url: "/registrations",
    schema: post,
    handler: async (request, reply) => {
      const result = await execute(context, register(request.body), { request, reply });
      if (result === undefined) return reply;
      const { answer, recordedAtMs } = result;
      void reply.code(201).header("location", `/registrations/${answer.registrationId}`);
      return { ...answer, registeredAt: iso(recordedAtMs) };
    },
  });

  const remove = {
    tags: [tags.registrations],
    summary: "Withdraws a registration, whose seat is free again; twice is as once",
    params: Type.Object({ id: Id }),
    response: {
      200: jsonAnswer("The registration has ended.", Withdrawn, positionHeader),
      ...problemAnswers(["registration-unknown", ...commandProblems], refusalHeaders),
    },
  };
  app.route({
    method: "DELETE",
    url: "/registrations/:id",
    schema: remove,
    handler: async (request, reply) => {
      const call = withdraw({ registrationId: request.params.id });
      const result = await execute(context, call, { request, reply });
      if (result === undefined) return reply;
      const { answer, recorded } = result;
      if (recorded.length === 0) {
        const { eventStore } = context.deps;
        const position = await storedPositionOfKey(eventStore, answer.moduleCode, moduleEvents);
        void reply.header("refold-position", position);
      }
      return answer;
    },
  });
}

export function registrationQueries(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const one = {
    tags: [tags.registrations],
    summary: "One registration, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The registration.", Registration),
      ...problemAnswers(["registration-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/registrations/:id",
    schema: one,
    handler: async (request, reply) => {
      await waits.until(registrations, request.headers["refold-wait-for"]);
      const { id } = request.params;
      const { result } = await registrationById(readerAt(context, request.query.at), id);
      if (result === undefined) return sendProblem(request, reply, registrationUnknown(id));
      return registrationShape(result);
    },
  });

  const ofStudent = {
    tags: [tags.registrations],
    summary: "A student's registrations, in pages, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object({ ...pageMembers(options), ...AtMember }),
    headers: WaitHeaders,
    response: registrationPages,
  };
  app.route({
    method: "GET",
    url: "/students/:id/registrations",
    schema: ofStudent,
    handler: async (request) => {
      await waits.until(registrations, request.headers["refold-wait-for"]);
      const page = pageOf(request.query, options);
      const reader = readerAt(context, request.query.at);
      const { result } = await registrationsOfStudent(reader, request.params.id, page);
      return { registrations: result.rows.map(registrationShape), next: result.next ?? null };
    },
  });
}

export function rosterRoutes(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const status = Type.Union([
    Type.Literal("held"),
    Type.Literal("completed"),
    Type.Literal("cancelled"),
  ]);
  const schema = {
    tags: [tags.registrations],
    summary: "A module's registrations, in pages, now or at a time of the past",
    params: Type.Object({ code: Id }),
    querystring: Type.Object({
      ...pageMembers(options),
      ...AtMember,
      status: Type.Optional(status),
    }),
    headers: WaitHeaders,
    response: registrationPages,
  };
  app.route({
    method: "GET",
    url: "/modules/:code/registrations",
    schema,
    handler: async (request) => {
      await waits.until(registrations, request.headers["refold-wait-for"]);
      const { status: wanted } = request.query;
      const moduleCode = request.params.code;
      const where = wanted === undefined ? { moduleCode } : { moduleCode, status: wanted };
      const { result } = await registrationsOfModule(
        readerAt(context, request.query.at),
        where,
        pageOf(request.query, options),
      );
      return { registrations: result.rows.map(registrationShape), next: result.next ?? null };
    },
  });
}
