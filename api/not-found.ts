import type { FastifyInstance } from "fastify";

import { pathOf, sendProblem } from "./problem.ts";

/** Answers 405 with `Allow` where the path has routes of other methods, and 404 otherwise. */
export function handleUnknownRoutes(app: FastifyInstance): void {
  const methodsOf = knownMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.url);
    const methods = methodsOf(path);
    if (methods.length === 0) {
      const detail = `There is nothing at ${path}.`;
      return sendProblem(request, reply, { status: 404, code: "route-unknown", detail });
    }
    return sendProblem(request, reply, {
      status: 405,
      code: "method-not-allowed",
      detail: `${path} takes ${methods.join(", ")}, not ${request.method}.`,
      headers: { allow: methods.join(", ") },
    });
  });
}

/** Which methods a path has among the routes that are added from now on. */
export function knownMethods(app: FastifyInstance): (path: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: Array.isArray(method) ? method : [method] });
  });
  return (path) => {
    const found = routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap((route) => route.methods))].sort();
  };
}

/** Routes here have only literal segments and whole `:name` segments. */
function patternOf(url: string): RegExp {
  const segments = url
    .split("/")
    .map((segment) =>
      segment.startsWith(":")
        ? "[^/]+"
        : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
    );
  return new RegExp(`^${segments.join("/")}$`);
}
