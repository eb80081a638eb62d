import { type Static, Type } from "typebox";

import { paymentIdOf } from "../../processors/payments/index.ts";
import { type Registered, registerWith, withdraw } from "../../processors/seats/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { ofOwner } from "../access/ownership.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import { runCommand } from "../commands/run-command.ts";
import {
  commandProblems,
  CommandHeaders,
  madeHeaders,
  refusalHeaders,
  toldHeaders,
} from "../commands/shapes.ts";
import { untilRecorded } from "../commands/told.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { Id, isoOrNull, nullable, Time } from "../shapes.ts";

const ofStudent = {
  registrationId: Type.String(),
  moduleCode: Type.String(),
  studentId: Type.String(),
};

const Given = Type.Object({
  ...ofStudent,
  status: Type.Enum(["held", "completed"]),
  registeredAt: Time,
  feeCents: Type.Integer(),
  holdExpiresAt: nullable(Time),
  paymentId: nullable(
    Type.String({ description: "Of the payment that the seat is held for; null without a fee." }),
  ),
});

const InLine = Type.Object({ ...ofStudent, status: Type.Literal("waiting") });

const Withdrawn = Type.Object({
  ...ofStudent,
  status: Type.Enum(["cancelled", "left", "expired"]),
  reason: nullable(Type.String({ description: "Why the seat was lost; null without a seat." })),
});

const registerProblems: readonly ProblemCode[] = [
  "module-unknown",
  "registration-not-open",
  "registration-closed",
  "already-registered",
  "offer-expired",
  "student-module-limit",
  "module-full",
];

/** What gives and frees seats, and places in line. */
export function registrationCommands(app: ApiServer, context: ApiContext): void {
  registerRoute(app, context);
  withdrawRoute(app, context);
}

function registerRoute(app: ApiServer, context: ApiContext): void {
  const register = registerWith(context.options);
  const body = Type.Object(
    {
      moduleCode: Id,
      studentId: Id,
      waitlist: Type.Optional(
        Type.Boolean({
          description:
            "Joins the line of a full module. Given again in line, it takes the seat that is offered.",
        }),
      ),
    },
    { additionalProperties: false },
  );
  const schema = {
    tags: [tags.registrations],
    summary: "Registers a student for a module, or puts one in line",
    headers: CommandHeaders,
    body,
    response: {
      201: jsonAnswer("The seat is given, or held for its payment.", Given, madeHeaders),
      202: jsonAnswer("The student is in line.", InLine, madeHeaders),
      ...problemAnswers([...registerProblems, ...commandProblems], refusalHeaders),
    },
  };
  app.route({
    method: "POST",
    url: "/registrations",
    config: { access: access.ownInBody, begins: true },
    schema,
    handler: (request, reply) =>
      runCommand<Registered, Static<typeof Given> | Static<typeof InLine>>(context, {
        request,
        reply,
        call: register(request.body),
        tell: (answer) => ({
          ...registered(answer),
          location: `/registrations/${answer.registrationId}`,
          of: { topic: moduleEvents, key: answer.moduleCode },
        }),
      }),
  });
}

function registered(answer: Registered) {
  const { registrationId, moduleCode, studentId, status, holdExpiresAt } = answer;
  const ids = { registrationId, moduleCode, studentId };
  if (status === "waiting") return { status: 202, body: { ...ids, status } };
  // Outside enrolments a seat is held for its fee, and for nothing else.
  const paymentId = status === "held" ? paymentIdOf("REGISTRATION", registrationId) : null;
  const times = { registeredAt: untilRecorded, holdExpiresAt: isoOrNull(holdExpiresAt) };
  const feeCents = answer.feeCents ?? 0;
  return {
    status: 201,
    body: { ...ids, status, ...times, feeCents, paymentId },
    recordedAt: "registeredAt" as const,
  };
}

function withdrawRoute(app: ApiServer, context: ApiContext): void {
  const schema = {
    tags: [tags.registrations],
    summary:
      "Withdraws a registration, whose seat is free again, or leaves the line; twice is as once",
    params: Type.Object({ id: Id }),
    headers: CommandHeaders,
    response: {
      200: jsonAnswer("The registration has ended.", Withdrawn, toldHeaders),
      ...problemAnswers(["registration-unknown", ...commandProblems], refusalHeaders),
    },
  };
  app.route({
    method: "DELETE",
    url: "/registrations/:id",
    config: { access: access.own },
    schema,
    handler: (request, reply) =>
      runCommand(context, {
        request,
        reply,
        call: withdraw({ registrationId: request.params.id, ...ofOwner(request) }),
        tell: ({ registrationId, moduleCode, studentId, status, reason }) => ({
          status: 200,
          body: { registrationId, moduleCode, studentId, status, reason },
          of: { topic: moduleEvents, key: moduleCode },
        }),
      }),
  });
}
