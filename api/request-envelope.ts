import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Origin } from "../engine/decision/outcome.ts";
import type { Random } from "../engine/ports/clock.ts";
import type { Labels, Metrics } from "../engine/ports/metrics.ts";
import {
  parseTraceparent,
  type TraceContext,
  traceparentOf,
} from "../engine/tracing/trace-context.ts";
import { routeOf } from "./route-name.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Goes into the envelope of every event that this request causes. */
    correlationId: string;
  }
  interface FastifyContextConfig {
    /** Answers that last as long as the client listens: their duration says nothing. */
    stream?: true;
  }
}

const correlationPattern = /^[\x21-\x7e]{1,128}$/;

/** Takes the correlation id from the request, or makes one, and gives it back. */
export function carryCorrelation(app: FastifyInstance, random: Random): void {
  app.decorateRequest("correlationId", "");
  app.addHook("onRequest", (request, reply, done) => {
    request.correlationId = correlationOf(request) ?? random.id();
    void reply.header("x-correlation-id", request.correlationId);
    done();
  });
}

function correlationOf(request: FastifyRequest): string | undefined {
  const given = request.headers["x-correlation-id"];
  if (typeof given === "string" && correlationPattern.test(given)) return given;
  return contextOf(request)?.traceId;
}

/** The W3C trace context of the request, where it is valid. */
function contextOf(request: FastifyRequest): TraceContext | undefined {
  const given = request.headers["traceparent"];
  return typeof given === "string" ? parseTraceparent(given) : undefined;
}

function givenTraceparent(request: FastifyRequest): string | undefined {
  const context = contextOf(request);
  return context && traceparentOf(context);
}

/** Where a request's command comes from: its cause is the request itself, by a name of its own. */
export function originOf(request: FastifyRequest, random: Random): Origin {
  const { correlationId } = request;
  const origin = { correlationId, causationId: `${routeOf(request)} ${random.id()}` };
  const traceparent = request.span?.traceparent ?? givenTraceparent(request);
  return traceparent === undefined ? origin : { ...origin, traceparent };
}

/** Counts every answer by route, method and status, and problems by their code too. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  const known = new KnownLabels();
  app.decorateReply("problemCode", undefined);
  app.addHook("onResponse", (request, reply, done) => {
    const { problemCode: code } = reply;
    const labels = known.of(request, reply);
    if (code !== undefined) metrics.count("http_problems_total", 1, { ...labels, code });
    if (request.routeOptions.config.stream !== true) {
      metrics.observe("http_request_seconds", reply.elapsedTime / 1_000, labels);
    }
    done();
  });
}

/** Labels of answers, made once for each route, method and status. */
class KnownLabels {
  readonly #known = new Map<string, Labels>();

  of(request: FastifyRequest, { statusCode }: FastifyReply): Labels {
    const route = request.routeOptions.url ?? "none";
    const key = `${request.method} ${statusCode} ${route}`;
    let labels = this.#known.get(key);
    if (labels === undefined) {
      labels = { route, method: methodLabel(request), status: String(statusCode) };
      this.#known.set(key, labels);
    }
    return labels;
  }
}

/** Node's parser knows about 35 methods; those that no route has are counted as one. */
function methodLabel(request: FastifyRequest): string {
  return request.routeOptions.url === undefined ? "other" : request.method;
}
