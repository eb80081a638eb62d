import { Type } from "typebox";

import {
  enrolmentById,
  enrolments,
  enrolmentsOfStudent,
} from "../../projections/enrolments/index.ts";
import { ownRow } from "../access/ownership.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { Enrolment, EnrolmentPage, enrolmentShape } from "../enrolments/shapes.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import { sendProblem } from "../problem.ts";
import { enrolmentUnknown } from "../refusals.ts";
import { Id, pageMembers, pageOf, queryProblems, WaitHeaders } from "../shapes.ts";

/** How enrolments stand. */
export function enrolmentQueries(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const one = {
    tags: [tags.enrolments],
    summary: "How an enrolment stands, step by step, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The enrolment.", Enrolment),
      ...problemAnswers(["enrolment-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/enrolments/:id",
    config: { access: access.own },
    schema: one,
    handler: async (request, reply) => {
      await waits.until(enrolments, request.headers["refold-wait-for"]);
      const { id } = request.params;
      const found = await enrolmentById(readerAt(context, request.query.at), id);
      const result = ownRow(request, found.result);
      if (result === undefined) return sendProblem(request, reply, enrolmentUnknown(id));
      return enrolmentShape(result);
    },
  });

  const ofStudent = {
    tags: [tags.enrolments],
    summary: "A student's enrolments, in pages, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object({ ...pageMembers(options), ...AtMember }),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("Enrolments, the oldest first.", EnrolmentPage),
      ...problemAnswers(["cursor-invalid", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/students/:id/enrolments",
    config: { access: access.ownInPath },
    schema: ofStudent,
    handler: async (request) => {
      await waits.until(enrolments, request.headers["refold-wait-for"]);
      const page = pageOf(request.query, options);
      const reader = readerAt(context, request.query.at);
      const { result } = await enrolmentsOfStudent(reader, request.params.id, page);
      return { enrolments: result.rows.map(enrolmentShape), next: result.next ?? null };
    },
  });
}
