import type { WebSocket } from "@fastify/websocket";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";

import { access } from "../access/rules.ts";
import { endsWith, openedBy } from "../access/streams.ts";
import { emptyAnswer, jsonAnswer, problemAnswers, storeProblems, textAnswer } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { beginEventStream } from "../event-stream.ts";
import { clientOf } from "../limits/client.ts";
import { ClientCounts } from "../limits/client-counts.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import type { LiveFeed, LiveListener } from "./live-feed.ts";
import { liveEvents, liveMessages } from "./outlets.ts";
import type { LiveSources } from "./sources.ts";

const streamProblems: readonly ProblemCode[] = ["too-many-listeners", "too-many-client-listeners"];

const framesText = `\`frame\`, once a second: what the commands of this process, all processors, projections, sagas,
rebuilds and effects are doing; null is what isn't known. \`trouble\`, with \`{ atMs, reason }\`: it couldn't be found out.
\`end\`, with \`{ code, reason }\`: the server closes the stream (\`draining\`), the reader is too slow (\`slow-reader\`), or its
session has ended (\`session-expired\`, \`session-revoked\`).`;

const socketText = `The same as \`/live\`; each message is \`{ event, data }\`. The close code tells why it ends: 1001
\`draining\`, 1013 \`slow-reader\`, 4001 \`session-expired\`, 4003 \`session-revoked\`.`;

interface Parts {
  readonly context: ApiContext;
  readonly feed: LiveFeed;
  readonly perClient: ClientCounts;
}

/** What the system does, as it does it: a report for programs, and streams of frames. */
export function liveRoutes(
  app: ApiServer,
  context: ApiContext,
  { live, liveFeed: feed }: { readonly live: LiveSources; readonly liveFeed: LiveFeed },
): void {
  countTurnedAway(app, live);
  statusRoute(app, live);
  const parts = { context, feed, perClient: new ClientCounts() };
  eventsRoute(app, parts);
  socketRoute(app, parts);
}

/** Under overload most requests never become a command: whoever watches must see them too. */
function countTurnedAway(app: ApiServer, { commands }: LiveSources): void {
  app.addHook("onResponse", (request, { statusCode }, done) => {
    const isCommand = request.method !== "GET" && request.method !== "HEAD";
    if (isCommand && (statusCode === 429 || statusCode === 503)) commands.turnedAway();
    done();
  });
}

function statusRoute(app: ApiServer, live: LiveSources): void {
  const Report = Type.Object({}, { additionalProperties: true });
  const schema = {
    tags: [tags.operations],
    summary: "What `refold status --json` prints: positions, lag and state of everything",
    response: {
      200: jsonAnswer("The report.", Report, { "cache-control": Type.Literal("no-store") }),
      ...problemAnswers(storeProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/admin/status",
    schema,
    config: { access: access.viewer },
    handler: async (_, reply) => {
      const report = await live.status();
      void reply.header("cache-control", "no-store");
      return { ...report };
    },
  });
}

function eventsRoute(app: ApiServer, parts: Parts): void {
  const schema = {
    tags: [tags.operations],
    summary: "What the system does as server-sent events",
    description: framesText,
    response: {
      200: textAnswer("The stream, for as long as the client listens.", "text/event-stream"),
      ...problemAnswers(streamProblems),
    },
  };
  app.route({
    method: "GET",
    url: "/live",
    schema,
    config: { access: access.viewer, stream: true },
    preHandler: async ({ ip }) => refuseWhenFull(parts, clientOf(ip)),
    exposeHeadRoute: false,
    handler: (request, reply) => {
      const response = beginEventStream(reply);
      const leave = join(parts, request, liveEvents(response, parts.context.options));
      response.once("close", leave);
    },
  });
}

function socketRoute(app: ApiServer, parts: Parts): void {
  const schema = {
    tags: [tags.operations],
    summary: "What the system does through a WebSocket",
    description: socketText,
    response: {
      101: emptyAnswer("The WebSocket is open.", {
        upgrade: Type.Literal("websocket"),
        connection: Type.String(),
      }),
      ...problemAnswers([...streamProblems, "upgrade-required"]),
    },
  };
  app.route({
    method: "GET",
    url: "/ws/live",
    schema,
    config: { access: access.viewer, stream: true },
    preHandler: async ({ ip }) => refuseWhenFull(parts, clientOf(ip)),
    exposeHeadRoute: false,
    handler: () => {
      throw new ProblemError({
        status: 426,
        code: "upgrade-required",
        detail: "This route speaks WebSocket. Plain HTTP has /live.",
        headers: { upgrade: "websocket" },
      });
    },
    wsHandler: (socket: WebSocket, request: FastifyRequest) => {
      const leave = join(parts, request, liveMessages(socket, parts.context.options));
      socket.once("close", leave);
      // What a watcher sends means nothing here; taking it keeps the socket from filling.
      socket.on("message", () => undefined);
    },
  });
}

/** Watches until the stream closes or its session ends; the answer leaves. */
function join(
  { context, feed, perClient }: Parts,
  request: FastifyRequest,
  listener: LiveListener,
): () => void {
  const left = perClient.add(clientOf(request.ip));
  const leave = feed.listen(listener);
  const unwatch = endsWith(context.deps, openedBy(request), {
    end: (code, reason) => {
      leave();
      listener.end(code, reason);
    },
  });
  return () => {
    unwatch();
    leave();
    left();
  };
}

function refuseWhenFull({ context, feed, perClient }: Parts, client: string): void {
  const { clientListenersMax } = context.options;
  if (perClient.of(client) >= clientListenersMax) {
    throw new ProblemError({
      status: 429,
      code: "too-many-client-listeners",
      detail: `This address watches ${clientListenersMax} times, which is the most.`,
      headers: retryAfter(2),
    });
  }
  if (!feed.full) return;
  throw new ProblemError({
    status: 503,
    code: "too-many-listeners",
    detail: `${feed.listenersMax} watch already, which is the most.`,
    headers: retryAfter(2),
  });
}
