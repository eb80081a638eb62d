import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";

import { access } from "../access/rules.ts";
import { emptyAnswer, jsonAnswer, problemAnswers, textAnswer } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { ProblemError } from "../problem.ts";
import { PageFiles } from "./files.ts";
import { pageHeaders, pagePolicy } from "./policy.ts";

const Settings = Type.Object({
  access: Type.Enum(["open", "sessions"], {
    description: "`open`: nobody has to sign in, and everything is allowed to everybody.",
  }),
});

const fileHeaders = {
  etag: Type.String(),
  "content-security-policy": Type.Literal(pagePolicy),
};

const anyone = { access: access.anyone } as const;

/** The live page: `/`, and the files that it is made of below `/page`. */
export function pageRoutes(app: ApiServer, { deps }: ApiContext): void {
  const files = new PageFiles();
  fileRoutes(app, files);

  const settings = {
    tags: [tags.page],
    summary: "What the page has to know before anybody has signed in",
    response: { 200: jsonAnswer("The settings.", Settings), ...problemAnswers([]) },
  };
  app.route({
    method: "GET",
    url: "/page/settings",
    schema: settings,
    config: anyone,
    handler: () => ({ access: deps.access === undefined ? "open" : "sessions" }) as const,
  });
}

function fileRoutes(app: ApiServer, files: PageFiles): void {
  const page = {
    tags: [tags.page],
    summary: "The live page for people",
    response: {
      200: { ...textAnswer("The page.", "text/html"), headers: fileHeaders },
      304: emptyAnswer("It is the same as `If-None-Match` says.", fileHeaders),
      ...problemAnswers([]),
    },
  };
  app.route({
    method: "GET",
    url: "/",
    schema: page,
    config: anyone,
    handler: async (request, reply) => {
      await answer({ request, reply, files, name: "index.html" });
      return reply;
    },
  });

  const file = {
    tags: [tags.page],
    summary: "A script, style or picture of the live page",
    params: Type.Object({ file: Type.Enum(files.names) }),
    response: {
      200: {
        description: "The file.",
        headers: fileHeaders,
        content: {
          "text/html": { schema: Type.String() },
          "text/javascript": { schema: Type.String() },
          "text/css": { schema: Type.String() },
          "image/svg+xml": { schema: Type.String() },
        },
      },
      304: emptyAnswer("It is the same as `If-None-Match` says.", fileHeaders),
      ...problemAnswers(["route-unknown"]),
    },
  };
  app.route({
    method: "GET",
    url: "/page/:file",
    schema: file,
    config: anyone,
    // An unknown name is a page that isn't there, not a value that is wrong.
    attachValidation: true,
    handler: async (request, reply) => {
      await answer({ request, reply, files, name: request.params.file });
      return reply;
    },
  });
}

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly files: PageFiles;
  readonly name: string;
}

async function answer({ request, reply, files, name }: Asked): Promise<void> {
  const file = await files.find(name);
  if (file === undefined) throw unknownFile(name);
  void reply.headers({ ...pageHeaders, etag: file.etag });
  if (request.headers["if-none-match"] === file.etag) void reply.code(304).send();
  else void reply.type(file.media).send(file.body);
}

const unknownFile = (name: string): ProblemError =>
  new ProblemError({
    status: 404,
    code: "route-unknown",
    detail: `The page has no file ${name}: it begins at /.`,
  });
