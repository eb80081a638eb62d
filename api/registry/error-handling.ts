import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { TransientError } from "../../engine/errors.ts";
import { RegistryRefusal } from "../../engine/ports/subject-registry.ts";
import { problemOf } from "../error-handling.ts";
import { knownMethods } from "../not-found.ts";
import { pathOf, sendProblem } from "../problem.ts";
import { answer } from "./media.ts";

/** What is answered where the database doesn't: clients try again at a status of 500. */
const storeFailure = 50_001;

/** Makes every error an answer as Confluent's registry words it. */
export function handleRegistryErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = error instanceof RegistryRefusal ? error : refusalOf(error);
    if (refusal === undefined) return sendProblem(request, reply, problemOf(error));
    const { errorCode, message } = refusal;
    if (errorCode >= 50_000 || errorCode === 500) {
      request.log.error({ err: error, url: request.url }, "failed");
    }
    return refuse(request, reply, { errorCode, message });
  });
  const methodsOf = knownMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf(pathOf(request.url));
    if (methods.length === 0) {
      return refuse(request, reply, { errorCode: 404, message: "HTTP 404 Not Found" });
    }
    void reply.header("allow", methods.join(", "));
    return refuse(request, reply, { errorCode: 405, message: "HTTP 405 Method Not Allowed" });
  });
}

function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { errorCode, message }: Pick<RegistryRefusal, "errorCode" | "message">,
): FastifyReply {
  const status = errorCode < 1_000 ? errorCode : Math.floor(errorCode / 100);
  return answer(request, reply.code(status), { error_code: errorCode, message });
}

/** undefined: what the whole API answers alike, such as an answer that took too long. */
function refusalOf(error: unknown): RegistryRefusal | undefined {
  if (error instanceof TransientError) {
    return new RegistryRefusal(storeFailure, "Error in the backend data store");
  }
  const { status, code, detail } = problemOf(error);
  if (code === "validation") {
    return new RegistryRefusal(detail.startsWith("body") ? 422 : 400, detail);
  }
  if (code === "internal") return new RegistryRefusal(500, "Internal Server Error");
  return status < 500 ? new RegistryRefusal(status, detail) : undefined;
}
