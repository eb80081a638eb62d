import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Span, Tracer } from "../engine/ports/tracing.ts";
import { probes } from "./limits/request-limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Where spans are recorded; undefined for probes, and for streams, which end with their client. */
    span: Span | undefined;
  }
}

/**
 * Tells of each request, after OpenTelemetry's conventions for HTTP servers
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/). Its commands go on in its span.
 */
export function traceRequests(app: FastifyInstance, tracer: Tracer | undefined): void {
  app.decorateRequest("span", undefined);
  if (tracer?.records !== true) return;
  app.addHook("onRequest", (request, _, done) => {
    const { config, url } = request.routeOptions;
    const isTold = config.stream !== true && !probes.has(url ?? "");
    if (isTold) request.span = spanOf(tracer, request);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    const { statusCode } = reply;
    if (statusCode >= 500) request.span?.fail(String(statusCode));
    else request.span?.end({ "http.response.status_code": statusCode });
    done();
  });
  app.addHook("onRequestAbort", (request, done) => {
    request.span?.fail("client-closed");
    done();
  });
}

function spanOf(tracer: Tracer, request: FastifyRequest): Span {
  const { method, routeOptions, headers } = request;
  const route = routeOptions.url;
  const given = headers["traceparent"];
  return tracer.start({
    name: route === undefined ? method : `${method} ${route}`,
    kind: "server",
    parent: typeof given === "string" ? given : undefined,
    attributes: {
      "http.request.method": method,
      "url.scheme": request.protocol,
      "url.path": pathOf(request.url),
      ...(route === undefined ? {} : { "http.route": route }),
      "refold.correlation_id": request.correlationId,
    },
  });
}

/** Without the query, which may say what nobody should read in a trace. */
const pathOf = (url: string): string => url.split("?", 1)[0] as string;
