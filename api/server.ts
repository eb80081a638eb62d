import websocket from "@fastify/websocket";
import type { FastifyBaseLogger } from "fastify";

import { guardRoutes, isStale } from "./access/guard.ts";
import { Tickets } from "./access/tickets.ts";
import { limitAnswerTime } from "./answer-time.ts";
import type { ApiContext, ApiServer } from "./context.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { documentApi } from "./documentation/openapi.ts";
import { handleErrors } from "./error-handling.ts";
import { KeysInUse } from "./idempotency/keys-in-use.ts";
import { parseJsonBodies } from "./json-body.ts";
import { endConnections } from "./limits/closing.ts";
import { Connections } from "./limits/connections.ts";
import { limitRequests, probes } from "./limits/request-limits.ts";
import { dropLateAnswers } from "./late-answers.ts";
import { LiveFeed } from "./live/live-feed.ts";
import { liveRoutes } from "./live/routes.ts";
import { newServer } from "./new-server.ts";
import { handleUnknownRoutes } from "./not-found.ts";
import { apiOptions, type ApiOptions } from "./options.ts";
import { pageRoutes } from "./page/routes.ts";
import { RequestedPayments } from "./payments/requested.ts";
import { PositionWaits } from "./position-waits.ts";
import { retryAfter, sendProblem } from "./problem.ts";
import { registryRoutes } from "./registry/index.ts";
import { carryCorrelation, measureRequests } from "./request-envelope.ts";
import { traceRequests } from "./request-spans.ts";
import { availabilityRoutes } from "./routes/availability.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { enrolmentQueries } from "./routes/enrolment-queries.ts";
import { enrolmentCommands } from "./routes/enrolments.ts";
import { type Fault, healthRoutes } from "./routes/health.ts";
import { moduleRoutes } from "./routes/modules.ts";
import { paymentWebhookRoutes } from "./routes/payment-webhooks.ts";
import { paymentRoutes } from "./routes/payments.ts";
import { rebuildRoutes } from "./routes/rebuilds.ts";
import { publicKeyRoutes } from "./routes/public-keys.ts";
import { registrationQueries, rosterRoutes } from "./routes/registration-queries.ts";
import { registrationCommands } from "./routes/registrations.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import { traceRoutes } from "./routes/traces.ts";
import { updateRoutes } from "./routes/updates.ts";
import { waitingListRoutes } from "./routes/waiting-lists.ts";
import { UpdateFeed } from "./updates/feed.ts";

/**
 * The HTTP server with all its routes, not yet listening.
 *
 * `close()` drains: update streams are told and ended, requests in flight are finished, and new
 * ones on open connections get 503 `draining`. Connections without a request are ended at once.
 */
export function buildApi(deps: ApiDependencies): ApiServer {
  const options = apiOptions(deps.options);
  const connections = new Connections(options);
  const app = newServer({ ...deps, options, connections });
  const context = contextOf(deps, { options, logger: app.log });
  const lifetime = { draining: false };

  handleErrors(app);
  limitAnswerTime(app, options.answerWithinMs);
  dropLateAnswers(app);
  handleUnknownRoutes(app);
  parseJsonBodies(app);
  carryCorrelation(app, deps.random);
  traceRequests(app, deps.tracer);
  measureRequests(app, deps.metrics);
  closeRefusedUpgrades(app);
  refuseStrangeUpgrades(app);
  refuseWhileDraining(app, lifetime);
  limitRequests(app, { connections, deps, options });
  guardRoutes(app, context);
  followUpdates(app, { context, lifetime });
  endConnections(app);
  documentApi(app, deps.access);
  // Chatty readers are cut off: nothing that they send is used.
  void app.register(websocket, { options: { maxPayload: 1_024, perMessageDeflate: false } });
  void app.register((routes, _, done) => {
    addRoutes(routes, { context, lifetime });
    done();
  });
  const { registry } = deps;
  if (registry !== undefined) void app.register(registryRoutes, { registry, prefix: "/registry" });
  return app;
}

function contextOf(
  deps: ApiDependencies,
  own: { readonly options: ApiOptions; readonly logger: FastifyBaseLogger },
): ApiContext {
  const { live } = deps;
  return {
    ...own,
    deps,
    tickets: deps.access && new Tickets({ clock: deps.clock, limits: deps.access.limits }),
    keysInUse: new KeysInUse(own.options),
    waits: new PositionWaits({ ...deps, ...own }),
    feed: new UpdateFeed({ ...deps, ...own }),
    liveFeed: live === undefined ? undefined : new LiveFeed({ ...deps, ...own, live }),
    requestedPayments: new RequestedPayments({ ...deps, limits: own.options }),
    replays: { open: 0 },
  };
}

interface Lifetime {
  draining: boolean;
}

interface Parts {
  readonly context: ApiContext;
  readonly lifetime: Lifetime;
}

/**
 * The WebSocket plugin closes the sockets of upgrades that it has seen. One that is refused before
 * has left the HTTP server's care already: nobody would ever close it, and the server never end.
 */
function closeRefusedUpgrades(app: ApiServer): void {
  app.addHook("onResponse", (request, _, done) => {
    if (request.headers.upgrade !== undefined && !request.ws) request.raw.socket.destroySoon();
    done();
  });
}

/** Otherwise a path without sockets would be found after the handshake, and its socket linger. */
function refuseStrangeUpgrades(app: ApiServer): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { headers, is404, routeOptions } = request;
    const upgrades = headers.upgrade?.toLowerCase() === "websocket";
    if (!upgrades || is404 || (routeOptions.url ?? "").startsWith("/ws/")) {
      done();
      return;
    }
    void sendProblem(request, reply, {
      status: 400,
      code: "bad-request",
      detail: "This path speaks no WebSocket: those that do begin with /ws/.",
      headers: { connection: "close" },
    });
  });
}

function refuseWhileDraining(app: ApiServer, lifetime: Lifetime): void {
  app.addHook("onRequest", (request, reply, done) => {
    if (!lifetime.draining || probes.has(request.routeOptions.url ?? "")) {
      done();
      return;
    }
    void sendProblem(request, reply, {
      status: 503,
      code: "draining",
      detail: "The server is closing and takes nothing more. Try again in a moment.",
      headers: { ...retryAfter(1), connection: "close" },
    });
  });
}

function followUpdates(app: ApiServer, { context, lifetime }: Parts): void {
  const { deps, feed, liveFeed, options } = context;
  app.addHook("onReady", async () => {
    feed.start();
    // A log that doesn't answer must not keep commands and queries from being served.
    await Promise.race([feed.started, deps.clock.sleep(options.waitForMs)]);
  });
  app.addHook("preClose", async () => {
    lifetime.draining = true;
    await Promise.all([feed[Symbol.asyncDispose](), liveFeed?.[Symbol.asyncDispose]()]);
  });
}

function addRoutes(app: ApiServer, { context, lifetime }: Parts): void {
  moduleRoutes(app, context);
  availabilityRoutes(app, context);
  registrationCommands(app, context);
  registrationQueries(app, context);
  rosterRoutes(app, context);
  waitingListRoutes(app, context);
  paymentRoutes(app, context);
  paymentWebhookRoutes(app, context, context.deps.webhooks ?? []);
  enrolmentCommands(app, context);
  enrolmentQueries(app, context);
  updateRoutes(app, context);
  addSessionRoutes(app, context);
  const { administration } = context.deps;
  if (administration !== undefined) rebuildRoutes(app, context, administration);
  const { traces } = context.deps;
  if (traces !== undefined) traceRoutes(app, traces);
  const { letters } = context.deps;
  if (letters !== undefined) deadLetterRoutes(app, letters);
  const { liveFeed } = context;
  const { live } = context.deps;
  if (live !== undefined && liveFeed !== undefined) liveRoutes(app, context, { live, liveFeed });
  const { readyWithinMs } = context.options;
  healthRoutes(app, { ...context.deps, readyWithinMs, faults: () => faultsOf(context, lifetime) });
  documentationRoutes(app);
  pageRoutes(app, context);
}

/** On a server that is open to everybody there is nobody to sign in. */
function addSessionRoutes(app: ApiServer, context: ApiContext): void {
  const { tickets, deps } = context;
  if (deps.access === undefined || tickets === undefined) return;
  sessionRoutes(app, context, deps.access);
  ticketRoutes(app, tickets);
  publicKeyRoutes(app, deps.access.tokens);
}

function* faultsOf({ feed, deps }: ApiContext, { draining }: Lifetime): Generator<Fault> {
  if (draining) yield { consumer: "api", reason: "the server is closing" };
  if (deps.access !== undefined && isStale(deps.access)) {
    yield { consumer: "sessions", reason: "which sessions have ended is not known" };
  }
  const { failure } = feed;
  if (failure !== undefined) {
    yield { consumer: "update-feed", reason: `updates can't be read: ${failure}` };
  }
}
