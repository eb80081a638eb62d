import type { WebSocket } from "@fastify/websocket";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";

import { access } from "../access/rules.ts";
import { emptyAnswer, problemAnswers, textAnswer } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import { tags } from "../documentation/openapi.ts";
import { beginEventStream } from "../event-stream.ts";
import { clientOf } from "../limits/client.ts";
import { ClientCounts } from "../limits/client-counts.ts";
import type { ApiOptions } from "../options.ts";
import type { ProblemCode } from "../problem-codes.ts";
import { ProblemError, retryAfter } from "../problem.ts";
import { Id } from "../shapes.ts";
import { vectorOf } from "../updates/event-id.ts";
import { sseOutlet } from "../updates/sse-outlet.ts";
import { type Outlet, Subscription, type Wish } from "../updates/subscription.ts";
import { webSocketOutlet } from "../updates/websocket-outlet.ts";

const after = Type.String({
  description: "In place of `Last-Event-ID`, which a browser's WebSocket can't send.",
});
const lastEventId = Type.String({
  description: "Id of the last update that was seen: the stream goes on after it.",
});

const wishSchema = ({ listenerModulesMax }: ApiOptions) => ({
  querystring: Type.Object({
    module: Type.Optional(
      Type.Array(Id, {
        minItems: 1,
        maxItems: listenerModulesMax,
        description: "Only changes of these modules; without it, of all.",
      }),
    ),
    after: Type.Optional(after),
  }),
  headers: Type.Object({ "last-event-id": Type.Optional(lastEventId) }),
});

const streamProblems: readonly ProblemCode[] = [
  "last-event-id-invalid",
  "not-ready",
  "too-many-listeners",
  "too-many-client-listeners",
  "too-many-replays",
];

const eventsSchema = (options: ApiOptions) => ({
  tags: [tags.updates],
  summary: "Changes of seats as server-sent events",
  description: eventsText(options),
  ...wishSchema(options),
  response: {
    200: textAnswer("The stream, for as long as the client listens.", "text/event-stream"),
    ...problemAnswers(streamProblems),
  },
});

const socketSchema = (options: ApiOptions) => ({
  tags: [tags.updates],
  summary: "Changes of seats through a WebSocket",
  description: socketText,
  ...wishSchema(options),
  response: {
    101: emptyAnswer("The WebSocket is open.", {
      upgrade: Type.Literal("websocket"),
      connection: Type.String(),
    }),
    ...problemAnswers([...streamProblems, "upgrade-required"]),
  },
});

const eventsText = ({
  updatesPerSecondMax,
}: ApiOptions) => `\`SeatAvailableChanged\`, with the seats of a module after a change as \`{ moduleCode, capacity, held, confirmed, available, sourcePosition }\`.
Of each module at most ${updatesPerSecondMax} a second: one after a pause at once, of those that follow only the newest, and the last one always. Its id covers those it stands for.
\`reset\`, with \`{ reason }\`: updates may have been missed; ask for what you show.
\`end\`, with \`{ code, reason }\`: the server closes the stream, because the reader is too slow (\`slow-reader\`), the server closes (\`draining\`), or what was missed can't be read (\`failed\`).`;

const socketText = `Each message is \`{ id, event, data }\` as the event stream has them; the first is \`hello\`. The close code tells why it ends: 1001 \`draining\`, 1011 \`failed\`, 1013 \`slow-reader\`.`;

interface WishedRequest {
  readonly headers: FastifyRequest["headers"];
  readonly query: unknown;
  readonly ip: string;
}

interface Parts {
  readonly context: ApiContext;
  /** How many streams each client has. */
  readonly perClient: ClientCounts;
}

/** `SeatAvailableChanged` as it happens: server-sent events, and the same through a WebSocket. */
export function updateRoutes(app: ApiServer, context: ApiContext): void {
  const config = { access: access.anyone, stream: true } as const;
  const perClient = new ClientCounts();
  const parts = { context, perClient };
  const preHandler = async (request: FastifyRequest) => {
    refuseWhenFull(parts, clientOf(request.ip));
    wishOf(request);
  };

  app.get(
    "/registration-updates",
    { schema: eventsSchema(context.options), config, preHandler, exposeHeadRoute: false },
    (request, reply) => serveEvents(parts, request, reply),
  );

  app.route({
    method: "GET",
    url: "/ws/registration-updates",
    schema: socketSchema(context.options),
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
    wsHandler: (webSocket: WebSocket, request: FastifyRequest) => {
      const { options: limits } = context;
      const outlet = webSocketOutlet({ webSocket, socket: request.raw.socket, limits });
      const leave = subscribe(parts, { outlet, request });
      webSocket.once("close", leave);
      // What a reader sends means nothing here; taking it keeps the socket from filling.
      webSocket.on("message", () => undefined);
    },
  });
}

function serveEvents(parts: Parts, request: WishedRequest, reply: FastifyReply): void {
  const response = beginEventStream(reply);
  const outlet = sseOutlet(response, parts.context.options);
  response.once("close", subscribe(parts, { outlet, request }));
}

/** Joins the feed; the answer leaves it. */
function subscribe(
  { context, perClient }: Parts,
  stream: { readonly outlet: Outlet; readonly request: WishedRequest },
): () => void {
  const { feed, logger, options, replays } = context;
  const { outlet, request } = stream;
  const left = perClient.add(clientOf(request.ip));
  const wish = wishOf(request);
  const subscription = new Subscription({ feed, outlet, wish, limits: options, logger });
  if (wish.after !== undefined) {
    replays.open += 1;
    void subscription.catchUp().finally(() => {
      replays.open -= 1;
    });
  }
  return () => {
    subscription[Symbol.dispose]();
    left();
  };
}

function wishOf({ headers, query }: WishedRequest): Wish {
  const asked = query as { readonly module?: readonly string[]; readonly after?: string };
  const seen = headers["last-event-id"];
  return {
    modules: asked.module === undefined ? undefined : new Set(asked.module),
    after: vectorOf(typeof seen === "string" ? seen : asked.after),
  };
}

function refuseWhenFull({ context, perClient }: Parts, client: string): void {
  const { feed, options, replays } = context;
  if (perClient.of(client) >= options.clientListenersMax) throw tooManyOfClient(options);
  if (!feed.ready) throw busy("not-ready", "The feed of updates has not begun yet.");
  if (feed.full) throw busy("too-many-listeners", `${options.listenersMax} streams are open.`);
  if (replays.open >= options.replaysMax) {
    throw busy("too-many-replays", `${options.replaysMax} streams are being resumed.`);
  }
}

const tooManyOfClient = ({ clientListenersMax }: ApiOptions): ProblemError =>
  new ProblemError({
    status: 429,
    code: "too-many-client-listeners",
    detail: `This address has ${clientListenersMax} streams open, which is the most. Close some first.`,
    headers: retryAfter(2),
  });

const busy = (code: ProblemCode, detail: string): ProblemError =>
  new ProblemError({ status: 503, code, detail, headers: retryAfter(2) });
