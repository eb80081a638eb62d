import { Type } from "typebox";

import {
  type EnrolmentAnswer,
  resubmitEnrolment,
  startEnrolment,
} from "../../processors/enrolments/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { ofOwner } from "../access/ownership.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import { runCommand } from "../commands/run-command.ts";
import type { Telling } from "../commands/told.ts";
import {
  commandProblems,
  madeHeaders,
  refusalHeaders,
  RequiredKeyHeaders,
} from "../commands/shapes.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { keyRequired } from "../idempotency/mark.ts";
import { Id } from "../shapes.ts";

const Running = Type.Object({
  enrolmentId: Type.String(),
  attempt: Type.Integer({ description: "From 1; each resubmission begins another." }),
  statusUrl: Type.String({ description: "Path of the enrolment, which tells how far it is." }),
});

/** Enrolments in several modules at once: they are taken on here, and carried out afterwards. */
export function enrolmentCommands(app: ApiServer, context: ApiContext): void {
  startRoute(app, context);
  resubmitRoute(app, context);
}

const begun = (answer: EnrolmentAnswer): Telling<EnrolmentAnswer & Status> => {
  const statusUrl = `/enrolments/${encodeURIComponent(answer.enrolmentId)}`;
  return {
    status: 202,
    body: { ...answer, statusUrl },
    location: statusUrl,
    of: { topic: enrolmentEvents, key: answer.enrolmentId },
  };
};

interface Status {
  readonly statusUrl: string;
}

function startRoute(app: ApiServer, context: ApiContext): void {
  const body = Type.Object(
    { studentId: Id, moduleCodes: Type.Array(Id, { description: "1 to 10, each once." }) },
    { additionalProperties: false },
  );
  const schema = {
    tags: [tags.enrolments],
    summary: "Enrols a student in several modules: all of them, paid once, or none",
    headers: RequiredKeyHeaders,
    body,
    response: {
      202: jsonAnswer("The enrolment has begun.", Running, madeHeaders),
      ...problemAnswers(
        [
          "idempotency-key-missing",
          "enrolment-modules-invalid",
          "module-unknown",
          ...commandProblems,
        ],
        refusalHeaders,
      ),
    },
  };
  app.route({
    method: "POST",
    url: "/enrolments",
    config: { access: access.ownInBody, begins: true },
    schema,
    preValidation: keyRequired,
    handler: (request, reply) =>
      runCommand(context, {
        request,
        reply,
        call: startEnrolment(request.body),
        tell: begun,
      }),
  });
}

function resubmitRoute(app: ApiServer, context: ApiContext): void {
  const schema = {
    tags: [tags.enrolments],
    summary: "Takes a reversed enrolment up again",
    params: Type.Object({ id: Id }),
    headers: RequiredKeyHeaders,
    response: {
      202: jsonAnswer("Another attempt has begun.", Running, madeHeaders),
      ...problemAnswers(
        [
          "idempotency-key-missing",
          "enrolment-unknown",
          "enrolment-not-reversed",
          ...commandProblems,
        ],
        refusalHeaders,
      ),
    },
  };
  app.route({
    method: "POST",
    url: "/enrolments/:id/resubmit",
    config: { access: access.own },
    schema,
    preValidation: keyRequired,
    handler: (request, reply) =>
      runCommand(context, {
        request,
        reply,
        call: resubmitEnrolment({ enrolmentId: request.params.id, ...ofOwner(request) }),
        tell: begun,
      }),
  });
}
