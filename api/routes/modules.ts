import { Type } from "typebox";

import {
  moduleByCode,
  moduleCatalogue,
  modulesInOrder,
} from "../../projections/module-catalogue/index.ts";
import { access } from "../access/rules.ts";
import { jsonAnswer, problemAnswers } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { AtMember, pastProblems, readerAt } from "../past.ts";
import { sendProblem } from "../problem.ts";
import { moduleUnknown } from "../refusals.ts";
import {
  Id,
  Module,
  ModulePage,
  moduleShape,
  pageMembers,
  pageOf,
  queryProblems,
  WaitHeaders,
} from "../shapes.ts";

/** The catalogue, straight from its table's changelog. */
export function moduleRoutes(app: ApiServer, context: ApiContext): void {
  const { options, waits } = context;
  const list = {
    tags: [tags.modules],
    summary: "All modules, in pages, now or at a time of the past",
    querystring: Type.Object({ ...pageMembers(options), ...AtMember }),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("Modules in order of their codes.", ModulePage),
      ...problemAnswers(["cursor-invalid", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/modules",
    config: { access: access.anyone },
    schema: list,
    handler: async (request) => {
      await waits.until(moduleCatalogue, request.headers["refold-wait-for"]);
      const reader = readerAt(context, request.query.at);
      const { result } = await modulesInOrder(reader, pageOf(request.query, options));
      return { modules: result.rows.map(moduleShape), next: result.next ?? null };
    },
  });

  const one = {
    tags: [tags.modules],
    summary: "One module, now or at a time of the past",
    params: Type.Object({ code: Id }),
    querystring: Type.Object(AtMember),
    headers: WaitHeaders,
    response: {
      200: jsonAnswer("The module as its table has it.", Module),
      ...problemAnswers(["module-unknown", ...pastProblems, ...queryProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/modules/:code",
    config: { access: access.anyone },
    schema: one,
    handler: async (request, reply) => {
      await waits.until(moduleCatalogue, request.headers["refold-wait-for"]);
      const { code } = request.params;
      const { result } = await moduleByCode(readerAt(context, request.query.at), code);
      if (result === undefined) return sendProblem(request, reply, moduleUnknown(code));
      return moduleShape(result);
    },
  });
}
