import { Type } from "typebox";

import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers, textAnswer } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import type { OpenApiDocument } from "../documentation/document.ts";
import { tags } from "../documentation/openapi.ts";
import { documentationPage, pagePolicy } from "../documentation/page.ts";

/** The API's own description, for programs and for people. */
export function documentationRoutes(app: ApiServer): void {
  // Made once: the routes don't change while the server runs.
  let text: string | undefined;
  let page: string | undefined;
  const config = { access: access.anyone };
  const document = () => app.swagger() as OpenApiDocument;

  const json = {
    tags: [tags.documentation],
    summary: "This API as an OpenAPI 3.1 document",
    response: {
      200: jsonAnswer("The document.", Type.Object({}, { additionalProperties: true })),
      ...problemAnswers([]),
    },
  };
  app.get("/openapi.json", { schema: json, config }, (_, reply) => {
    text ??= JSON.stringify(document());
    void reply.type("application/json; charset=utf-8").send(text as never);
  });

  const html = {
    tags: [tags.documentation],
    summary: "This API as a page for people",
    response: {
      200: {
        ...textAnswer("The page: no script, nothing from elsewhere.", "text/html"),
        headers: { "content-security-policy": Type.Literal(pagePolicy) },
      },
      ...problemAnswers([]),
    },
  };
  app.get("/docs", { schema: html, config }, (_, reply) => {
    page ??= documentationPage(document());
    void reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", pagePolicy)
      .header("x-content-type-options", "nosniff")
      .send(page);
  });
}
