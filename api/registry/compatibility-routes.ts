import { Type } from "typebox";

import {
  RegistryRefusal,
  type SubjectCatalogue,
  type SubmittedSchema,
} from "../../engine/ports/subject-registry.ts";
import { access } from "../access/rules.ts";
import type { ApiServer } from "../context.ts";
import { registryAnswers, registryTag } from "./answers.ts";
import { answer } from "./media.ts";
import { isSet, queryMembers, SubjectParams, submittedOf, VersionParams } from "./requests.ts";
import { CompatibilityAnswer, SchemaRequest } from "./shapes.ts";

const { normalize, verbose } = queryMembers;

/** Whether a schema could be registered; nothing is. */
export function compatibilityQueries(app: ApiServer, subjects: SubjectCatalogue): void {
  const schema = {
    tags: registryTag,
    querystring: Type.Object({ normalize, verbose }),
    body: SchemaRequest,
    response: registryAnswers("Whether it is; why not, with `verbose`.", CompatibilityAnswer),
  };
  const summary = "Is a schema compatible with";
  app.route({
    method: "POST",
    url: "/compatibility/subjects/:subject/versions",
    config: { access: access.viewer },
    schema: { ...schema, summary: `${summary} a subject's versions?`, params: SubjectParams },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const submitted = submittedOf(body, query.normalize);
      const check = { subject: params.subject, submitted, against: "all" };
      return answer(request, reply, await verdict(subjects, check, query.verbose));
    },
  });
  app.route({
    method: "POST",
    url: "/compatibility/subjects/:subject/versions/:version",
    config: { access: access.viewer },
    schema: { ...schema, summary: `${summary} one version?`, params: VersionParams },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const submitted = submittedOf(body, query.normalize);
      const against = params.version === "all" ? "" : params.version;
      const check = { subject: params.subject, submitted, against };
      return answer(request, reply, await verdict(subjects, check, query.verbose));
    },
  });
}

interface Check {
  readonly subject: string;
  readonly submitted: SubmittedSchema;
  readonly against: string;
}

const schemaInvalid = 42_201;

/** With `verbose` a schema that can't be parsed is told as one that isn't compatible. */
async function verdict(
  subjects: SubjectCatalogue,
  { subject, submitted, against }: Check,
  asked: string | undefined,
): Promise<object> {
  try {
    const messages = await subjects.check(subject, submitted, against);
    const compatible = { is_compatible: messages.length === 0 };
    return isSet(asked) && messages.length > 0 ? { ...compatible, messages } : compatible;
  } catch (error) {
    const parsing = error instanceof RegistryRefusal && error.errorCode === schemaInvalid;
    if (!parsing || !isSet(asked)) throw error;
    return { is_compatible: false, messages: [error.message] };
  }
}
