import { Type } from "typebox";

import {
  moduleByCode,
  moduleCatalogue,
  modulesInOrder,
} from "../../projections/module-catalogue/index.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { sendProblem } from "../problem.ts";
import { moduleUnknown } from "../refusals.ts";
import {
  Id,
  Module,
  ModulePage,
  moduleShape,
  pageMembers,
  problems,
  WaitHeaders,
} from "../shapes.ts";

/** The catalogue, straight from its table's changelog. */
export function moduleRoutes(app: ApiServer, { deps, options, waits }: ApiContext): void {
  const list = {
    querystring: Type.Object(pageMembers(options)),
    headers: WaitHeaders,
    response: { 200: ModulePage, ...problems },
  };
  app.route({
    method: "GET",
    url: "/modules",
    schema: list,
    handler: async (request) => {
      await waits.until(moduleCatalogue, request.headers["refold-wait-for"]);
      const { limit, cursor } = request.query;
      const { result } = await modulesInOrder(deps.reader, { limit, cursor });
      return { modules: result.rows.map(moduleShape), next: result.next ?? null };
    },
  });

  const one = {
    params: Type.Object({ code: Id }),
    headers: WaitHeaders,
    response: { 200: Module, ...problems },
  };
  app.route({
    method: "GET",
    url: "/modules/:code",
    schema: one,
    handler: async (request, reply) => {
      await waits.until(moduleCatalogue, request.headers["refold-wait-for"]);
      const { code } = request.params;
      const { result } = await moduleByCode(deps.reader, code);
      if (result === undefined) return sendProblem(request, reply, moduleUnknown(code));
      return moduleShape(result);
    },
  });
}
