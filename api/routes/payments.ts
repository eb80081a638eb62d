import { Type } from "typebox";

import { payByCard } from "../../processors/payments/index.ts";
import { paymentById, payments, paymentsOfRegistration } from "../../projections/payments/index.ts";
import { registrationById, registrations } from "../../projections/registrations/index.ts";
import { paymentEvents } from "../../schemas/topics.ts";
import { ofOwner, ownRow } from "../access/ownership.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import { runCommand } from "../commands/run-command.ts";
import {
  commandProblems,
  madeHeaders,
  refusalHeaders,
  RequiredKeyHeaders,
} from "../commands/shapes.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { keyRequired } from "../idempotency/mark.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import { Payment, PaymentList, paymentShape } from "../payments/shapes.ts";
import { sendProblem } from "../problem.ts";
import { paymentUnknown, registrationUnknown } from "../refusals.ts";
import { Id, queryProblems, WaitHeaders } from "../shapes.ts";

const CardGiven = Type.Object({
  paymentId: Type.String(),
  status: Type.Literal("charging"),
  statusUrl: Type.String({ description: "Path of the payment, which tells its outcome." }),
});

const Card = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: "^[\\x21-\\x7e]+$",
      description: "What the provider's form gave for the card. It is never stored for long.",
    }),
  },
  { additionalProperties: false },
);

/** Payments, and the card that pays one. */
export function paymentRoutes(app: ApiServer, context: ApiContext): void {
  cardRoute(app, context);
  oneRoute(app, context);
  ofRegistrationRoute(app, context);
}

function cardRoute(app: ApiServer, context: ApiContext): void {
  const schema = {
    tags: [tags.payments],
    summary: "Pays by card",
    params: Type.Object({ id: Id }),
    headers: RequiredKeyHeaders,
    body: Card,
    response: {
      202: jsonAnswer("The card is being charged.", CardGiven, madeHeaders),
      ...problemAnswers(
        [
          "idempotency-key-missing",
          "payment-unknown",
          "payment-in-progress",
          "payment-over",
          ...commandProblems,
        ],
        refusalHeaders,
      ),
    },
  };
  app.route({
    method: "POST",
    url: "/payments/:id/card",
    config: { access: access.own },
    schema,
    preValidation: keyRequired,
    handler: (request, reply) => {
      const paymentId = request.params.id;
      const statusUrl = `/payments/${encodeURIComponent(paymentId)}`;
      return runCommand(context, {
        request,
        reply,
        call: payByCard({ paymentId, token: request.body.token, ...ofOwner(request) }),
        after: () => context.requestedPayments.until(paymentId),
        tell: (answer) => ({
          status: 202,
          body: { ...answer, statusUrl },
          location: statusUrl,
          of: { topic: paymentEvents, key: paymentId },
        }),
      });
    },
  });
}

function oneRoute(app: ApiServer, context: ApiContext): void {
  const { waits } = context;
  const schema = {
    tags: [tags.payments],
    summary: "One payment, now or at a time of the past",
    params: Type.Object({ id: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The payment.", Payment),
      ...problemAnswers(["payment-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/payments/:id",
    config: { access: access.own },
    schema,
    handler: async (request, reply) => {
      await waits.until(payments, request.headers["refold-wait-for"]);
      const { id } = request.params;
      const found = await paymentById(readerAt(context, request.query.at), id);
      const result = ownRow(request, found.result);
      if (result === undefined) return sendProblem(request, reply, paymentUnknown(id));
      return paymentShape(result);
    },
  });
}

function ofRegistrationRoute(app: ApiServer, context: ApiContext): void {
  const { waits } = context;
  const schema = {
    tags: [tags.payments],
    summary: "The payments of a registration: its own, or those of its enrolment",
    params: Type.Object({ id: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("Payments, the oldest first.", PaymentList),
      ...problemAnswers(["registration-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/registrations/:id/payments",
    config: { access: access.own },
    schema,
    handler: async (request, reply) => {
      const token = request.headers["refold-wait-for"];
      await waits.until(registrations, token);
      await waits.until(payments, token);
      const reader = readerAt(context, request.query.at);
      const { id } = request.params;
      const found = ownRow(request, (await registrationById(reader, id)).result);
      if (found === undefined) return sendProblem(request, reply, registrationUnknown(id));
      const { result } = await paymentsOfRegistration(reader, found);
      return { payments: result.map(paymentShape) };
    },
  });
}
