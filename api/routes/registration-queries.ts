import { Type } from "typebox";

import {
  registrationById,
  registrations,
  type RegistrationStatus,
  registrationStatuses,
  registrationsOfModule,
  registrationsOfStudent,
} from "../../projections/registrations/index.ts";
import { placeInLine, waitingLists } from "../../projections/waiting-lists/index.ts";
import { ownRow } from "../access/ownership.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import { sendProblem } from "../problem.ts";
import { registrationUnknown } from "../refusals.ts";
import {
  Id,
  pageMembers,
  pageOf,
  queryProblems,
  OneRegistration,
  RegistrationPage,
  registrationShape,
  WaitHeaders,
} from "../shapes.ts";

const inLine: ReadonlySet<string> = new Set<RegistrationStatus>(["waiting", "offered"]);

const registrationPages = {
  200: jsonAnswer("Registrations, the oldest first.", RegistrationPage),
  ...problemAnswers(["cursor-invalid", ...pastProblems, ...queryProblems]),
};

export function registrationQueries(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const one = {
    tags: [tags.registrations],
    summary: "One registration, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The registration.", OneRegistration),
      ...problemAnswers(["registration-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/registrations/:id",
    config: { access: access.own },
    schema: one,
    handler: async (request, reply) => {
      await waits.until(registrations, request.headers["refold-wait-for"]);
      const { id } = request.params;
      const reader = readerAt(context, request.query.at);
      const result = ownRow(request, (await registrationById(reader, id)).result);
      if (result === undefined) return sendProblem(request, reply, registrationUnknown(id));
      if (!inLine.has(result.status)) return { ...registrationShape(result), place: null };
      await waits.until(waitingLists, request.headers["refold-wait-for"]);
      const { moduleCode, studentId } = result;
      const { result: found } = await placeInLine(reader, moduleCode, studentId);
      const place = found?.registrationId === id ? found.place : null;
      return { ...registrationShape(result), place };
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
    config: { access: access.ownInPath },
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
  const status = Type.Enum([...registrationStatuses]);
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
    config: { access: access.operator },
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
