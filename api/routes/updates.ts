import type { WebSocket } from "@fastify/websocket";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";

import type { ApiContext, ApiServer } from "../context.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import { Id } from "../shapes.ts";
import { sseOutlet } from "../updates/sse-outlet.ts";
import { type Outlet, Subscription, vectorOf, type Wish } from "../updates/subscription.ts";
import { webSocketOutlet } from "../updates/websocket-outlet.ts";

const schema = {
  querystring: Type.Object({
    module: Type.Optional(Id),
    /** In place of the header `Last-Event-ID`, which a browser's WebSocket can't send. */
    after: Type.Optional(Type.String()),
  }),
  headers: Type.Object({ "last-event-id": Type.Optional(Type.String()) }),
};

interface WishedRequest {
  readonly headers: FastifyRequest["headers"];
  readonly query: unknown;
}

/** `SeatAvailableChanged` as it happens: server-sent events, and the same through a WebSocket. */
export function updateRoutes(app: ApiServer, context: ApiContext): void {
  const config = { stream: true } as const;
  const preHandler = async (request: FastifyRequest) => {
    refuseWhenFull(context);
    wishOf(request);
  };

  app.get(
    "/registration-updates",
    { schema, config, preHandler, exposeHeadRoute: false },
    (request, reply) => serveEvents(context, request, reply),
  );

  app.route({
    method: "GET",
    url: "/ws/registration-updates",
    schema,
    config,
    preHandler,
    exposeHeadRoute: false,
    handler: () => {
      throw new ProblemError({
        status: 426,
        code: "upgrade-required",
        detail: "This route speaks WebSocket. Plain HTTP has /registration-updates.",
        headers: { upgrade: "websocket" },
      });
    },
    wsHandler: (socket: WebSocket, request: FastifyRequest) => {
      const outlet = webSocketOutlet(socket, context.options);
      const leave = subscribe(context, { outlet, request });
      socket.once("close", leave);
      // What a reader sends means nothing here; taking it keeps the socket from filling.
      socket.on("message", () => undefined);
    },
  });
}

function serveEvents(context: ApiContext, request: WishedRequest, reply: FastifyReply): void {
  reply.hijack();
  const { raw: response } = reply;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-correlation-id": String(reply.getHeader("x-correlation-id")),
  });
  response.flushHeaders();
  const outlet = sseOutlet(response, context.options);
  response.once("close", subscribe(context, { outlet, request }));
}

/** Joins the feed; the answer leaves it. */
function subscribe(
  { feed, logger, options, replays }: ApiContext,
  stream: { readonly outlet: Outlet; readonly request: WishedRequest },
): () => void {
  const { outlet, request } = stream;
  const wish = wishOf(request);
  const subscription = new Subscription({ feed, outlet, wish, limits: options, logger });
  if (wish.after !== undefined) {
    replays.open += 1;
    void subscription.catchUp().finally(() => {
      replays.open -= 1;
    });
  }
  return () => subscription[Symbol.dispose]();
}

function wishOf({ headers, query }: WishedRequest): Wish {
  const { module, after } = query as { readonly module?: string; readonly after?: string };
  const lastEventId = headers["last-event-id"];
  return {
    moduleCode: module,
    after: vectorOf(typeof lastEventId === "string" ? lastEventId : after),
  };
}

function refuseWhenFull({ feed, options, replays }: ApiContext): void {
  if (!feed.ready) throw busy("not-ready", "The feed of updates has not begun yet.");
  if (feed.full) throw busy("too-many-listeners", `${options.listenersMax} streams are open.`);
  if (replays.open >= options.replaysMax) {
    throw busy("too-many-replays", `${options.replaysMax} streams are being resumed.`);
  }
}

const busy = (code: string, detail: string): ProblemError =>
  new ProblemError({ status: 503, code, detail, headers: retryAfter(2) });
