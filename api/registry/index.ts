import type { FastifyInstance } from "fastify";
import { Type } from "typebox";

import type { SubjectRegistry } from "../../engine/ports/subject-registry.ts";
import { access } from "../access/rules.ts";
import type { ApiServer } from "../context.ts";
import { AnySchema, registryAnswers, registryTag } from "./answers.ts";
import { compatibilityQueries } from "./compatibility-routes.ts";
import { handleRegistryErrors } from "./error-handling.ts";
import { answer, bodyMediaTypes } from "./media.ts";
import { schemaQueries } from "./schema-routes.ts";
import { settingCommands, settingQueries } from "./setting-routes.ts";
import { subjectCommands, subjectQueries } from "./subject-routes.ts";

/** A schema of a million characters, as JSON in JSON; a larger body is refused with 413. */
const registryBodyBytesMax = 4 * 1_024 * 1_024;

export interface RegistryRoutesOptions {
  readonly registry: SubjectRegistry;
}

/**
 * Confluent's REST interface of a schema registry, version 1
 * (https://docs.confluent.io/platform/current/schema-registry/develop/api.html), under the prefix
 * that it is registered with. Routes that change something are apart from those that don't: they
 * need another role.
 */
export function registryRoutes(
  app: ApiServer,
  { registry }: RegistryRoutesOptions,
  done: () => void,
): void {
  const { subjects, schemas, settings } = registry;
  handleRegistryErrors(app);
  readBodies(app);
  app.addHook("onRoute", (route) => {
    route.bodyLimit = registryBodyBytesMax;
  });
  metadataQueries(app);
  subjectQueries(app, subjects);
  schemaQueries(app, schemas);
  compatibilityQueries(app, subjects);
  settingQueries(app, settings);
  subjectCommands(app, subjects);
  settingCommands(app, settings);
  done();
}

/** JSON under any of the names that clients give it; a body that is empty is none. */
function readBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([...bodyMediaTypes], { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else void parse(request, String(body), done);
  });
}

/** What a client asks to see with whom it speaks. */
function metadataQueries(app: ApiServer): void {
  const schema = { tags: registryTag };
  app.route({
    method: "GET",
    url: "/",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "That there is a registry here",
      response: registryAnswers("Nothing more.", AnySchema),
    },
    handler: (request, reply) => answer(request, reply, {}),
  });
  app.route({
    method: "GET",
    url: "/v1/metadata/id",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "The cluster that the registry belongs to",
      response: registryAnswers("Its name.", Type.Object({ id: Type.String() })),
    },
    handler: (request, reply) => {
      return answer(request, reply, { scope: { path: [], clusters: {} }, id: "" });
    },
  });
  app.route({
    method: "GET",
    url: "/v1/metadata/version",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "The version of the interface that the registry speaks",
      response: registryAnswers("Its version.", Type.Object({ version: Type.String() })),
    },
    handler: (request, reply) => answer(request, reply, { version: "v1", commitId: "" }),
  });
}
