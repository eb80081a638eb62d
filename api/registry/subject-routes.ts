import { Type } from "typebox";

import type { SubjectCatalogue } from "../../engine/ports/subject-registry.ts";
import { access } from "../access/rules.ts";
import type { ApiServer } from "../context.ts";
import { AnySchema, registryAnswers, registryTag } from "./answers.ts";
import { answer, answerText } from "./media.ts";
import {
  deletedOf,
  isSet,
  pageOf,
  queryMembers,
  SubjectParams,
  submittedOf,
  VersionParams,
} from "./requests.ts";
import {
  RegisteredAnswer,
  referencesMember,
  SchemaRequest,
  SubjectSchemaAnswer,
  subjectSchemaShape,
} from "./shapes.ts";

const { deleted, deletedOnly, normalize, permanent, subjectPrefix, offset, limit } = queryMembers;
const Numbers = Type.Array(Type.Integer());

/** What may be read of subjects and their versions. */
export function subjectQueries(app: ApiServer, subjects: SubjectCatalogue): void {
  app.route({
    method: "GET",
    url: "/subjects",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Names of subjects",
      querystring: Type.Object({ deleted, deletedOnly, subjectPrefix, offset, limit }),
      response: registryAnswers("In their order.", Type.Array(Type.String())),
    },
    handler: async (request, reply) => {
      const { query } = request;
      const filter = { prefix: query.subjectPrefix ?? ":*:", deleted: deletedOf(query) };
      const names = await subjects.names(filter);
      return answer(request, reply, pageOf(names, "subjects", query));
    },
  });
  app.route({
    method: "POST",
    url: "/subjects/:subject",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "The version that a subject has of a schema",
      params: SubjectParams,
      querystring: Type.Object({ deleted, normalize }),
      body: SchemaRequest,
      response: registryAnswers("It has it.", SubjectSchemaAnswer),
    },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const submitted = submittedOf(body, query.normalize);
      const found = await subjects.lookUp(params.subject, submitted, deletedOf(query));
      return answer(request, reply, subjectSchemaShape(found));
    },
  });
  app.route({
    method: "GET",
    url: "/subjects/:subject/versions",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Versions of a subject",
      params: SubjectParams,
      querystring: Type.Object({ deleted, deletedOnly, offset, limit }),
      response: registryAnswers("In rising order.", Numbers),
    },
    handler: async (request, reply) => {
      const { params, query } = request;
      const versions = await subjects.versions(params.subject, deletedOf(query));
      return answer(request, reply, pageOf(versions, "subjects", query));
    },
  });
  versionQueries(app, subjects);
}

function versionQueries(app: ApiServer, subjects: SubjectCatalogue): void {
  const params = VersionParams;
  const querystring = Type.Object({ deleted });
  app.route({
    method: "GET",
    url: "/subjects/:subject/versions/:version",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "One version: its number, `latest` or `-1`",
      params,
      querystring,
      response: registryAnswers("The version.", SubjectSchemaAnswer),
    },
    handler: async (request, reply) => {
      const { subject, version } = request.params;
      const found = await subjects.version(subject, version, deletedOf(request.query));
      return answer(request, reply, subjectSchemaShape(found));
    },
  });
  app.route({
    method: "GET",
    url: "/subjects/:subject/versions/:version/schema",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "The schema of one version, and nothing about it",
      params,
      querystring,
      response: registryAnswers("The schema.", AnySchema),
    },
    handler: async (request, reply) => {
      const { subject, version } = request.params;
      const { schema } = await subjects.version(subject, version, deletedOf(request.query));
      return answerText(request, reply, schema);
    },
  });
  app.route({
    method: "GET",
    url: "/subjects/:subject/versions/:version/referencedby",
    config: { access: access.viewer },
    schema: {
      tags: registryTag,
      summary: "Ids of the schemas that refer to a version",
      params,
      response: registryAnswers("In rising order.", Numbers),
    },
    handler: async (request, reply) => {
      const { subject, version } = request.params;
      return answer(request, reply, await subjects.referencedBy(subject, version));
    },
  });
}

/** What changes subjects. */
export function subjectCommands(app: ApiServer, subjects: SubjectCatalogue): void {
  app.route({
    method: "POST",
    url: "/subjects/:subject/versions",
    config: { access: access.admin },
    schema: {
      tags: registryTag,
      summary: "Register a schema under a subject",
      params: SubjectParams,
      querystring: Type.Object({ normalize }),
      body: SchemaRequest,
      response: registryAnswers("It is registered, now or before.", RegisteredAnswer),
    },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const made = await subjects.register(params.subject, submittedOf(body, query.normalize));
      const { id, version, schema, references } = made;
      return answer(request, reply, { id, version, ...referencesMember(references), schema });
    },
  });
  app.route({
    method: "DELETE",
    url: "/subjects/:subject",
    config: { access: access.admin },
    schema: {
      tags: registryTag,
      summary: "Delete a subject: softly, then permanently",
      params: SubjectParams,
      querystring: Type.Object({ permanent }),
      response: registryAnswers("The versions that were deleted.", Numbers),
    },
    handler: async (request, reply) => {
      const how = isSet(request.query.permanent) ? "permanent" : "hide";
      return answer(request, reply, await subjects.deleteSubject(request.params.subject, how));
    },
  });
  app.route({
    method: "DELETE",
    url: "/subjects/:subject/versions/:version",
    config: { access: access.admin },
    schema: {
      tags: registryTag,
      summary: "Delete a version: softly, then permanently",
      params: VersionParams,
      querystring: Type.Object({ permanent }),
      response: registryAnswers("The version that was deleted.", Type.Integer()),
    },
    handler: async (request, reply) => {
      const { subject, version } = request.params;
      const how = isSet(request.query.permanent) ? "permanent" : "hide";
      return answer(request, reply, await subjects.deleteVersion(subject, version, how));
    },
  });
}
