import type { FastifyReply } from "fastify";
import { Type } from "typebox";

import { outcomeCommand, type PaymentWebhook } from "../../processors/payments/index.ts";
import { access } from "../access/rules.ts";
import { emptyAnswer, problemAnswers } from "../answers.ts";
import { decided } from "../commands/run-command.ts";
import { receivedProblems } from "../commands/shapes.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { ProblemError } from "../problem.ts";
import { statusOf } from "../problem-codes.ts";
import { problemOfRefusal } from "../refusals.ts";
import { Id } from "../shapes.ts";

/**
 * What providers tell. The signature is over the bytes as they came, so nothing else of this server
 * reads the body before it.
 */
export function paymentWebhookRoutes(
  app: ApiServer,
  context: ApiContext,
  webhooks: readonly PaymentWebhook[],
): void {
  void app.register((routes: ApiServer, _, done) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => {
      parsed(null, body);
    });
    webhookRoute(routes, context, webhooks);
    done();
  });
}

function webhookRoute(
  app: ApiServer,
  context: ApiContext,
  webhooks: readonly PaymentWebhook[],
): void {
  const byName = new Map(webhooks.map((webhook) => [webhook.provider, webhook]));
  const schema = {
    tags: [tags.payments],
    summary:
      "Takes what a payment provider tells, signed after the Standard Webhooks specification",
    description:
      "A message that comes again changes nothing. One without 2xx should be sent again.",
    params: Type.Object({ provider: Id }),
    consumes: ["application/json"],
    body: Type.Unknown({ description: "`{type, data}`, exactly as it was signed." }),
    response: {
      204: emptyAnswer("It is recorded, or none of our concern."),
      ...problemAnswers([
        "provider-unknown",
        "signature-invalid",
        "webhook-invalid",
        "payment-unknown",
        ...receivedProblems,
      ]),
    },
  };
  app.route({
    method: "POST",
    url: "/payments/webhooks/:provider",
    config: { access: access.signedByProvider },
    schema,
    handler: async (request, reply) => {
      const webhook = byName.get(request.params.provider);
      if (webhook === undefined) throw providerUnknown(request.params.provider);
      const { body } = request;
      const bytes = body instanceof Uint8Array ? body : new Uint8Array();
      const verdict = webhook.receive(bytes, request.headers);
      if (verdict.kind === "refused") {
        const { code, detail } = verdict;
        throw new ProblemError({ status: statusOf(code), code, detail });
      }
      if (verdict.kind === "told") {
        const result = await decided(context, request, outcomeCommand(verdict.outcome));
        if (result.outcome === "refused") throw new ProblemError(problemOfRefusal(result.refusal));
      }
      return noContent(reply);
    },
  });
}

const noContent = (reply: FastifyReply): FastifyReply => reply.code(204).send();

const providerUnknown = (name: string): ProblemError =>
  new ProblemError({
    status: 404,
    code: "provider-unknown",
    detail: `No provider ${name} tells its outcomes here.`,
  });
