import type { RouteHandlerMethod } from "fastify";

import type { ApiServer } from "./context.ts";
import { logUnexpected } from "./error-handling.ts";

/**
 * Leaves out what a handler comes to after its time was over: its client has `answer-timeout`
 * already. A failure that nobody expected is logged as one of an answer in time is.
 */
export function dropLateAnswers(app: ApiServer): void {
  app.addHook("onRoute", (route) => {
    route.handler = unlessAnswered(route.handler);
  });
}

function unlessAnswered(handler: RouteHandlerMethod): RouteHandlerMethod {
  return function handle(request, reply) {
    const made: unknown = handler.call(this, request, reply);
    if (!(made instanceof Promise)) return made;
    return made.then(
      (body: unknown) => (reply.sent ? undefined : body),
      (error: unknown) => {
        if (!reply.sent) throw error;
        logUnexpected(error, request);
      },
    );
  };
}
