import { type Static, Type } from "typebox";

import {
  RegistryRefusal,
  type SchemaCatalogue,
  type SubjectSchema,
} from "../../engine/ports/subject-registry.ts";
import { access } from "../access/rules.ts";
import type { ApiServer } from "../context.ts";
import { AnySchema, registryAnswers, registryTag } from "./answers.ts";
import { answer, answerText } from "./media.ts";
import { deletedOf, IdParams, isSet, pageOf, queryMembers } from "./requests.ts";
import {
  referencesMember,
  SchemaAnswer,
  SubjectSchemaAnswer,
  subjectSchemaShape,
} from "./shapes.ts";

const { deleted, deletedOnly, subject, subjectPrefix, latestOnly } = queryMembers;
const { fetchMaxId, format, offset, limit } = queryMembers;

/** Schemas by id. */
export function schemaQueries(app: ApiServer, schemas: SchemaCatalogue): void {
  app.route({
    method: "GET",
    url: "/schemas",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Schemas of subjects",
      querystring: Type.Object({ subjectPrefix, deleted, latestOnly, offset, limit }),
      response: registryAnswers(
        "In order of subject and version.",
        Type.Array(SubjectSchemaAnswer),
      ),
    },
    handler: async (request, reply) => {
      const { query } = request;
      const filter = { prefix: query.subjectPrefix ?? ":*:", deleted: deletedOf(query) };
      const found = await schemas.list(filter, isSet(query.latestOnly) ? "latest" : "all");
      return answer(request, reply, pageOf(found, "schemas", query).map(subjectSchemaShape));
    },
  });
  app.route({
    method: "GET",
    url: "/schemas/types",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Types of schemas that can be registered",
      response: registryAnswers("Their names.", Type.Array(Type.String())),
    },
    handler: (request, reply) => answer(request, reply, ["AVRO"]),
  });
  app.route({
    method: "GET",
    url: "/contexts",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Contexts that subjects may be qualified by",
      querystring: Type.Object({ offset, limit }),
      response: registryAnswers("In their order.", Type.Array(Type.String())),
    },
    handler: async (request, reply) =>
      answer(request, reply, pageOf(await schemas.contexts(), "subjects", request.query)),
  });
  queriesById(app, schemas);
  usesOfIds(app, schemas);
}

const Query = Type.Object({ subject, format, fetchMaxId });

function queriesById(app: ApiServer, schemas: SchemaCatalogue): void {
  const schema = { tags: registryTag, params: IdParams, querystring: Query };
  app.route({
    method: "GET",
    url: "/schemas/ids/:id",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "The schema that an id stands for",
      response: registryAnswers("The schema.", SchemaAnswer),
    },
    handler: async (request, reply) => {
      const { query } = request;
      const found = await schemas.byId(idOf(request.params.id), query.subject);
      const maxId = isSet(query.fetchMaxId) ? await schemas.maxId(query.subject) : undefined;
      return answer(request, reply, {
        ...(maxId === undefined ? {} : { maxId }),
        ...referencesMember(found.references),
        schema: formatted(found, query),
      });
    },
  });
  app.route({
    method: "GET",
    url: "/schemas/ids/:id/schema",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "The schema that an id stands for, and nothing about it",
      response: registryAnswers("The schema.", AnySchema),
    },
    handler: async (request, reply) => {
      const found = await schemas.byId(idOf(request.params.id), request.query.subject);
      return answerText(request, reply, formatted(found, request.query));
    },
  });
}

function usesOfIds(app: ApiServer, schemas: SchemaCatalogue): void {
  const querystring = Type.Object({ subject, deleted, deletedOnly, offset, limit });
  const schema = { tags: registryTag, params: IdParams, querystring };
  const usesOf = (
    id: string,
    query: Static<typeof querystring>,
  ): Promise<readonly SubjectSchema[]> => schemas.uses(idOf(id), deletedOf(query), query.subject);
  app.route({
    method: "GET",
    url: "/schemas/ids/:id/subjects",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "Subjects that have the schema of an id",
      response: registryAnswers("In their order.", Type.Array(Type.String())),
    },
    handler: async (request, reply) => {
      const uses = await usesOf(request.params.id, request.query);
      const names = [...new Set(uses.map((use) => use.subject))];
      return answer(request, reply, pageOf(names, "subjects", request.query));
    },
  });
  const SubjectVersion = Type.Object({ subject: Type.String(), version: Type.Integer() });
  app.route({
    method: "GET",
    url: "/schemas/ids/:id/versions",
    config: { access: access.viewer },
    schema: {
      ...schema,
      summary: "Versions that have the schema of an id",
      response: registryAnswers("In order of subject.", Type.Array(SubjectVersion)),
    },
    handler: async (request, reply) => {
      const uses = await usesOf(request.params.id, request.query);
      const versions = uses.map((use) => ({ subject: use.subject, version: use.version }));
      return answer(request, reply, pageOf(versions, "subjects", request.query));
    },
  });
}

/** What is no number is no path of an id, as Java's routes have it. */
function idOf(text: string): number {
  if (!/^[+-]?\d{1,10}$/.test(text)) throw new RegistryRefusal(404, "HTTP 404 Not Found");
  return Number(text);
}

/** `resolved` puts everything that the schema refers to into it. */
function formatted(
  found: { readonly schema: string; readonly resolved: string },
  { format: asked }: Static<typeof Query>,
): string {
  return asked?.toLowerCase() === "resolved" ? found.resolved : found.schema;
}
