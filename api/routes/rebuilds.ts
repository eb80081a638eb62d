import { type Static, Type } from "typebox";

import { FatalError } from "../../engine/errors.ts";
import type { RebuildRecord, RebuildWish } from "../../engine/ports/rebuilds.ts";
import { actedBy } from "../access/acted-by.ts";
import { access } from "../access/rules.ts";
import { endsWith, openedBy } from "../access/streams.ts";
import { bodyProblems, jsonAnswer, problemAnswers, storeProblems, textAnswer } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import type { RebuildAdministration } from "../dependencies.ts";
import { tags } from "../documentation/openapi.ts";
import { beginEventStream } from "../event-stream.ts";
import { clientOf } from "../limits/client.ts";
import { ClientCounts } from "../limits/client-counts.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import { fromForms, parseFrom } from "../rebuilds/from.ts";
import { rebuildBounds, rebuildDefaults, rebuildRequest } from "../rebuilds/request.ts";
import { Rebuild, rebuildShape } from "../rebuilds/shape.ts";
import { RebuildStreams } from "../rebuilds/streams.ts";
import { By, Id, Said } from "../shapes.ts";

const RebuildId = Type.Object({ id: Type.String({ pattern: "^[0-9]{1,18}$" }) });
const listMax = 500;

const bounded = (name: keyof typeof rebuildBounds, description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: rebuildBounds[name].least,
      maximum: rebuildBounds[name].most,
      default: rebuildDefaults[name],
      description,
    }),
  );

const Start = Type.Object(
  {
    projection: Id,
    from: Type.Optional(
      Type.String({ minLength: 1, maxLength: 10_000, description: `One of: ${fromForms}.` }),
    ),
    accept: Type.Optional(
      Type.Boolean({ description: "Differences don't keep it from being swapped in." }),
    ),
    lagBudgetMs: bounded("lagBudgetMs", "Lag of what serves above which the rebuild waits."),
    keepMs: bounded("keepMs", "How long it can be undone once it is swapped in."),
    by: By,
    reason: Said,
  },
  { additionalProperties: false },
);

const Act = Type.Object(
  { by: By, reason: Said, accept: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

const startProblems: readonly ProblemCode[] = [
  "projection-unknown",
  "from-invalid",
  "rebuild-open",
  "projection-never-built",
  ...bodyProblems,
  ...storeProblems,
];

/** Rebuilds of projections: asked for, watched and steered. Workers do what is asked. */
export function rebuildRoutes(
  app: ApiServer,
  context: ApiContext,
  admin: RebuildAdministration,
): void {
  startRoute(app, context, admin);
  listRoute(app, admin);
  oneRoute(app, admin);
  actRoutes(app, admin);
  eventsRoute(app, context, admin);
}

function startRoute(app: ApiServer, context: ApiContext, admin: RebuildAdministration): void {
  const schema = {
    tags: [tags.rebuilds],
    summary: "Asks for a rebuild of a projection; a worker that has its code conducts it",
    body: Start,
    response: {
      202: jsonAnswer("It is asked for.", Rebuild, {
        location: Type.String({ description: "Path of the rebuild." }),
      }),
      ...problemAnswers(startProblems),
    },
  };
  app.route({
    method: "POST",
    url: "/admin/rebuilds",
    config: { access: access.admin },
    schema,
    handler: async (request, reply) => {
      const record = await start(context, admin, {
        ...request.body,
        by: actedBy(request, request.body),
      });
      void reply.code(202).header("location", pathOf(record.id));
      return rebuildShape(record);
    },
  });
}

async function start(
  { deps, waits }: ApiContext,
  { rebuilds, projections }: RebuildAdministration,
  asked: Static<typeof Start> & { readonly by: string },
): Promise<RebuildRecord> {
  const { projection, from = "earliest" } = asked;
  const found = projections.find(({ name }) => name === projection);
  if (found === undefined) {
    const known = projections.map(({ name }) => name).join(", ");
    const detail = `There is no projection ${projection}: there are ${known}.`;
    throw new ProblemError({ status: 404, code: "projection-unknown", detail });
  }
  const incarnation = () => waits.incarnation();
  const parsed = await parseFrom(from, { nowMs: deps.clock.nowMs(), incarnation }).catch(asProblem);
  const { version } = found;
  const started = await rebuilds.start(rebuildRequest({ ...asked, version, from: parsed }));
  switch (started.outcome) {
    case "started":
      return started.record;
    case "open":
      throw isOpen(started.record);
    case "never-built":
      throw new ProblemError({
        status: 409,
        code: "projection-never-built",
        detail: `${projection} was never built: its first worker builds it.`,
      });
    default:
      return started satisfies never;
  }
}

function asProblem(error: unknown): never {
  if (!(error instanceof FatalError) || error.code !== "from-invalid") throw error;
  throw new ProblemError({ status: 400, code: "from-invalid", detail: error.message });
}

const isOpen = ({ id, state, request }: RebuildRecord): ProblemError =>
  new ProblemError({
    status: 409,
    code: "rebuild-open",
    detail: `Rebuild ${id} of ${request.projection} is ${state}: one at a time.`,
    headers: { location: pathOf(id) },
    more: { rebuild: String(id) },
  });

function listRoute(app: ApiServer, { rebuilds }: RebuildAdministration): void {
  const schema = {
    tags: [tags.rebuilds],
    summary: "Rebuilds, the newest first",
    querystring: Type.Object({
      projection: Type.Optional(Id),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: listMax, default: 50 })),
    }),
    response: {
      200: jsonAnswer("The rebuilds.", Type.Object({ rebuilds: Type.Array(Rebuild) })),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/rebuilds",
    config: { access: access.viewer },
    schema,
    handler: async ({ query: { projection, limit = 50 } }) => {
      const named = projection === undefined ? {} : { projection };
      const found = await rebuilds.list({ ...named, limit });
      return { rebuilds: found.map(rebuildShape) };
    },
  });
}

function oneRoute(app: ApiServer, admin: RebuildAdministration): void {
  const schema = {
    tags: [tags.rebuilds],
    summary: "One rebuild: its plan, progress and proof",
    params: RebuildId,
    response: {
      200: jsonAnswer("The rebuild.", Rebuild),
      ...problemAnswers(["rebuild-unknown", ...storeProblems]),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/rebuilds/:id",
    config: { access: access.viewer },
    schema,
    handler: async ({ params }) => rebuildShape(await found(admin, params.id)),
  });
}

interface ActRoute {
  readonly path: string;
  readonly wish: RebuildWish;
  readonly summary: string;
}

const acts: readonly ActRoute[] = [
  { path: "pause", wish: "pause", summary: "Lets a rebuild stand where it is" },
  {
    path: "resume",
    wish: "run",
    summary: "Lets a rebuild go on; `accept` swaps it in although rows differ",
  },
  {
    path: "abandon",
    wish: "abandon",
    summary: "Gives a rebuild up; what it has filled is removed",
  },
  {
    path: "undo",
    wish: "undo",
    summary: "Lets the generation from before a swap serve again, within the rebuild's `undoUntil`",
  },
];

function actRoutes(app: ApiServer, admin: RebuildAdministration): void {
  for (const act of acts) actRoute(app, admin, act);
}

function actRoute(
  app: ApiServer,
  admin: RebuildAdministration,
  { path, wish, summary }: ActRoute,
): void {
  const schema = {
    tags: [tags.rebuilds],
    summary,
    params: RebuildId,
    body: Act,
    response: {
      202: jsonAnswer("It is asked for; the record shows when it is done.", Rebuild),
      ...problemAnswers(["rebuild-unknown", "rebuild-over", ...bodyProblems, ...storeProblems]),
    },
  };
  app.route({
    method: "POST",
    url: `/admin/rebuilds/:id/${path}`,
    config: { access: access.admin },
    schema,
    handler: async (request, reply) => {
      const { params, body } = request;
      const by = actedBy(request, body);
      const { id } = await found(admin, params.id);
      const { reason, accept } = body;
      const also = accept === undefined ? {} : { accept };
      const taken = await admin.rebuilds.wish(id, wish, { by, reason, ...also });
      const record = await found(admin, params.id);
      if (!taken) throw isOverProblem(record, path);
      void reply.code(202);
      return rebuildShape(record);
    },
  });
}

const isOverProblem = ({ id, state, wish }: RebuildRecord, act: string): ProblemError =>
  new ProblemError({
    status: 409,
    code: "rebuild-over",
    detail: `Rebuild ${id} is ${state}${wish === "abandon" ? " and given up" : ""}: it can't ${act}.`,
  });

function eventsRoute(app: ApiServer, context: ApiContext, admin: RebuildAdministration): void {
  const streams = new RebuildStreams({ ...context, admin });
  const perClient = new ClientCounts();
  app.addHook("preClose", async () => streams[Symbol.dispose]());
  const schema = {
    tags: [tags.rebuilds],
    summary: "A rebuild's record after each change as server-sent events, until it is over",
    description:
      "`rebuild`, with the record as `GET /admin/rebuilds/{id}` has it, at first and after each " +
      "change; `end` with `{ code, reason }`: it is over (`over`), the server closes " +
      "(`draining`), the record can't be read (`failed`), or the session ends that opened it " +
      "(`session-expired`, `session-revoked`).",
    params: RebuildId,
    response: {
      200: textAnswer("The stream, until the rebuild is over.", "text/event-stream"),
      ...problemAnswers([
        "rebuild-unknown",
        "too-many-listeners",
        "too-many-client-listeners",
        ...storeProblems,
      ]),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/rebuilds/:id/events",
    schema,
    config: { access: access.viewer, stream: true },
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const client = clientOf(request.ip);
      refuseWhenFull(context, { streams, ofClient: perClient.of(client) });
      const { id } = await found(admin, request.params.id);
      const left = perClient.add(client);
      const response = beginEventStream(reply);
      const outlet = streams.serve(id, response);
      const stop = endsWith(context.deps, openedBy(request), outlet);
      response.once("close", () => {
        stop();
        left();
      });
    },
  });
}

function refuseWhenFull(
  { options: { listenersMax, clientListenersMax } }: ApiContext,
  { streams, ofClient }: { readonly streams: RebuildStreams; readonly ofClient: number },
): void {
  if (ofClient >= clientListenersMax) {
    const detail = `This address has ${clientListenersMax} streams open, which is the most.`;
    const code = "too-many-client-listeners";
    throw new ProblemError({ status: 429, code, detail, headers: retryAfter(2) });
  }
  if (streams.open < listenersMax) return;
  const detail = `${listenersMax} streams are open.`;
  throw new ProblemError({
    status: 503,
    code: "too-many-listeners",
    detail,
    headers: retryAfter(2),
  });
}

async function found({ rebuilds }: RebuildAdministration, text: string): Promise<RebuildRecord> {
  const record = await rebuilds.find(BigInt(text));
  if (record !== undefined) return record;
  const detail = `There is no rebuild ${text}.`;
  throw new ProblemError({ status: 404, code: "rebuild-unknown", detail });
}

const pathOf = (id: bigint): string => `/admin/rebuilds/${id}`;
