import { isUtf8 } from "node:buffer";

import type { ApiServer } from "./context.ts";
import { ProblemError } from "./problem.ts";

/**
 * Parses bodies of `application/json`. What is not UTF-8 is refused: decoded as text it would have
 * replacement characters where its ids had bytes, and be stored like that.
 */
export function parseJsonBodies(app: ApiServer): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const options = { parseAs: "buffer" } as const;
  app.addContentTypeParser("application/json", options, (request, body, done) => {
    if (isUtf8(body as Buffer)) void parse(request, body.toString("utf8"), done);
    else done(notUtf8());
  });
}

const notUtf8 = (): ProblemError =>
  new ProblemError({
    status: 400,
    code: "json-invalid",
    detail: "The body is not UTF-8, which JSON is written in.",
  });
