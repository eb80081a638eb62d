import swagger from "@fastify/swagger";

import type { Access } from "../access/contract.ts";
import type { ApiServer } from "../context.ts";
import { documentAccess, securitySchemes } from "./access.ts";
import { ProblemSchema } from "../problem.ts";

/** Tags group the routes; a route without one is not documented. */
export const tags = {
  modules: "modules",
  registrations: "registrations",
  payments: "payments",
  enrolments: "enrolments",
  sessions: "sessions",
  updates: "updates",
  page: "page",
  rebuilds: "rebuilds",
  letters: "letters",
  traces: "traces",
  registry: "registry",
  operations: "operations",
  documentation: "documentation",
} as const;

const descriptions: Readonly<Record<keyof typeof tags, string>> = {
  modules: "The catalogue, and the seats that each module has left.",
  registrations: "Commands that give and free seats, and queries of what was given.",
  payments: "What a seat or an enrolment costs, and how it is paid.",
  enrolments: "Several modules at once: all of them, paid once, or none.",
  sessions: "Who is signed in, and the tickets by which a browser's streams prove it.",
  page: "What runs, as it runs: a page for people, and what it is made of.",
  updates: "Every change of seats as it happens.",
  rebuilds: "Read models made anew beside what serves, compared, swapped in, undone.",
  letters: "Dead letters: records that were set aside: told, edited, redriven and discarded.",
  traces: "Business transactions followed, and how rows became what they are.",
  registry: "The schema registry, as Confluent's clients and tools speak to it.",
  operations: "For whoever runs the server: health and metrics, which no limit refuses.",
  documentation: "This document.",
};

const description = `Module registration on Refold.

Every error is a problem of RFC 9457 with a stable \`code\`. Every answer carries \`X-Correlation-Id\`, which a
request may give. Answers of limited routes carry \`RateLimit\` and \`RateLimit-Policy\`.

A command that is sent again with the same \`Idempotency-Key\` (a text of the client's choice) is not done again: it gets its
first answer, with \`Idempotency-Replayed\`. Refusals are kept too; answers with 400 and 5xx are not.

A command answers with \`Refold-Position\`. A query that sends it back as \`Refold-Wait-For\` waits until its
read model has that position, or answers 503 with the code \`behind\`.

HEAD is taken wherever GET is, streams excepted. Other methods get 405 with \`Allow\`.`;

/** Gathers the routes that are added from now on into an OpenAPI 3.1 document. */
export function documentApi(app: ApiServer, access: Access | undefined): void {
  app.addSchema(ProblemSchema);
  if (access !== undefined) app.addHook("onRoute", documentAccess);
  void app.register(swagger, {
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) =>
        typeof $id === "string" ? $id : `def-${i}`,
    },
    hideUntagged: true,
    // OpenAPI 3.1 takes `const` as JSON Schema has it.
    convertConstToEnum: false,
    openapi: {
      openapi: "3.1.0",
      info: { title: "Refold", version: "1", description, license },
      servers: [{ url: "/" }],
      ...(access === undefined ? {} : { components: { securitySchemes } }),
      tags: Object.entries(descriptions).map(([name, text]) => ({ name, description: text })),
    },
  });
}

const license = { name: "Apache-2.0", identifier: "Apache-2.0" };
