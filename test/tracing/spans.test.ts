import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import fastify, { type FastifyRequest } from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";

import { carryCorrelation, originOf } from "../../api/request-envelope.ts";
import { traceRequests } from "../../api/request-spans.ts";
import { OpenTelemetryTracer } from "../../connectors/opentelemetry/index.ts";
import { TransientError } from "../../engine/errors.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";
import { parseTraceparent } from "../../engine/tracing/trace-context.ts";
import { realRandom, until } from "../engine/process.ts";
import { MemorySystem } from "./memory-system.ts";
import { recording } from "./recording.ts";
import { allEvents, isPraised } from "./whole-trace.ts";
import { orders, place } from "./workflow.ts";

/** A server that takes orders. */
function serverOf(system: MemorySystem, tracer: Tracer) {
  const app = fastify();
  carryCorrelation(app, realRandom);
  traceRequests(app, tracer);
  const handler = async (request: FastifyRequest) => {
    const { order } = request.params as { readonly order: string };
    await system.decider.execute(place({ order }), originOf(request, realRandom));
    return {};
  };
  app.route({ method: "POST", url: "/orders/:order", handler });
  app.post("/broken", () => Promise.reject(new Error("It is broken.")));
  app.get("/livez", () => ({}));
  onTestFinished(() => app.close());
  return app;
}

async function ordered() {
  const { tracer, spans } = recording();
  const system = new MemorySystem(tracer);
  await system.start();
  const app = serverOf(system, tracer);
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
  await app.inject({ method: "POST", url: "/orders/a?secret=1", headers });
  await until("it is praised", () => isPraised(system.eventStore));
  const told = (name: string) => spans().filter((span) => span.name === name);
  await until("the last batch is told", () => told("process way-orders").length >= 4);
  await until("the last append is told", () => told("send way-orders").length === 3);
  return { system, trace, spans: spans(), told };
}

test("one request's spans are one trace, across capture and processors, and a tree", async () => {
  const { trace, spans, told } = await ordered();
  expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([trace]));
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const outside = spans.filter(({ parentSpanContext: of }) => !ids.has(of?.spanId ?? ""));
  expect(outside.map(({ name }) => name)).toEqual(["POST /orders/:order"]);
  const [server] = told("POST /orders/:order");
  expect(server).toMatchObject({
    kind: SpanKind.SERVER,
    parentSpanContext: { spanId: "b7ad6b7169203331" },
    attributes: {
      "http.request.method": "POST",
      "http.route": "/orders/:order",
      "http.response.status_code": 200,
      "url.path": "/orders/a",
    },
  });
  expect(told("way.charge")).toHaveLength(1);
  expect(told("send way-orders")).toHaveLength(3);
  expect(told("send way-parcels")).toHaveLength(2);
});

test("events carry the context of the span that sent them", async () => {
  const { system, told } = await ordered();
  const sent = [...told("send way-orders"), ...told("send way-parcels")];
  const spanIds = sent.map((span) => span.spanContext().spanId);
  const events = await allEvents(system.eventStore);
  const carried = events.map(({ traceparent = "" }) => parseTraceparent(traceparent)?.spanId);
  expect(new Set(carried)).toEqual(new Set(spanIds));
});

test("sending and processing are told by the conventions' names", async () => {
  const { told } = await ordered();
  const [sent] = told("send way-orders");
  expect(sent).toMatchObject({
    kind: SpanKind.PRODUCER,
    attributes: {
      "messaging.system": "refold",
      "messaging.operation.type": "send",
      "messaging.operation.name": "append",
      "messaging.destination.name": "way-orders",
      "messaging.batch.message_count": 1,
    },
  });
  expect(sent?.attributes["messaging.destination.partition.id"]).toMatch(/^[01]$/);
  const [processed] = told("process way-orders");
  expect(processed).toMatchObject({
    kind: SpanKind.CONSUMER,
    attributes: { "messaging.system": "refold", "messaging.operation.type": "process" },
  });
  expect(processed?.attributes["messaging.consumer.group.name"]).toMatch(/^way-/);
  expect(processed?.links.map(({ context }) => context.spanId)).toContain(
    sent?.spanContext().spanId,
  );
});

describe("what fails", () => {
  test("is told with its type: requests by their status, appends by their verdict or error", async () => {
    const { tracer, spans } = recording();
    const system = new MemorySystem(tracer);
    await system.codec.prepare(orders);
    const app = serverOf(system, tracer);
    await app.inject({ method: "POST", url: "/broken" });
    expect(spans()[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { "error.type": "500", "http.route": "/broken" },
    });
    system.eventStore.append = () =>
      Promise.reject(new TransientError("unreachable", "The store is away."));
    await app.inject({ method: "POST", url: "/orders/a" });
    expect(spans().find(({ name }) => name === "send way-orders")).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { "error.type": "unreachable" },
    });
  });

  test("probes are not told", async () => {
    const { tracer, spans } = recording();
    await serverOf(new MemorySystem(tracer), tracer).inject("/livez");
    expect(spans()).toEqual([]);
  });
});

test("where no SDK is registered nothing is recorded", () => {
  const tracer = new OpenTelemetryTracer({ version: "1" });
  expect(tracer.records).toBe(false);
  const span = tracer.start({ name: "any", kind: "client", attributes: {} });
  expect(span.traceparent).toBeUndefined();
  span.end();
});
