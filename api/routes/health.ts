import { Type } from "typebox";

import { jsonAnswer, probeProblemAnswers, textAnswer } from "../answers.ts";
import type { ApiContext, ApiServer } from "../context.ts";
import type { ConsumerHealth } from "../dependencies.ts";
import { tags } from "../documentation/openapi.ts";
import { retryAfter, sendProblem } from "../problem.ts";
import { AgeMs } from "../shapes.ts";

const Ready = Type.Object({
  status: Type.Literal("ready"),
  consumers: Type.Array(
    Type.Object({
      consumer: Type.String(),
      state: Type.String({
        description: "`running`; `parked` where it runs and some keys wait behind dead letters",
      }),
      ageMs: AgeMs,
      parkedKeys: Type.Integer({ minimum: 0 }),
    }),
  ),
});

export interface Draining {
  /** True once the server has begun to close. */
  readonly draining: boolean;
}

export function healthRoutes(app: ApiServer, context: ApiContext, server: Draining): void {
  const { deps, options } = context;
  const alive = {
    tags: [tags.operations],
    summary: "Whether the process answers at all",
    response: {
      200: jsonAnswer("It does.", Type.Object({ status: Type.Literal("alive") })),
      ...probeProblemAnswers(),
    },
  };
  app.route({
    method: "GET",
    url: "/livez",
    schema: alive,
    handler: () => ({ status: "alive" as const }),
  });

  const schema = {
    tags: [tags.operations],
    summary: "Whether everything runs and has caught up",
    response: {
      200: jsonAnswer("It does.", Ready),
      ...probeProblemAnswers(["not-ready", "unavailable"]),
    },
  };
  app.route({
    method: "GET",
    url: "/readyz",
    schema,
    handler: async (request, reply) => {
      const consumers = await deps.health();
      const behind = [...faultsOf(consumers, options.readyWithinMs), ...faultsOfServer()];
      if (behind.length === 0) {
        return { status: "ready" as const, consumers: consumers.map(shapeOf) };
      }
      const detail = `Not ready: ${behind.map(({ reason }) => reason).join("; ")}.`;
      const more = { behind };
      const headers = retryAfter(1);
      return sendProblem(request, reply, { status: 503, code: "not-ready", detail, headers, more });
    },
  });

  const metrics = {
    tags: [tags.operations],
    summary: "All metrics, in the Prometheus text format",
    response: { 200: textAnswer("The metrics.", "text/plain"), ...probeProblemAnswers() },
  };
  app.get("/metrics", { schema: metrics }, async (_, reply) => {
    const text = await deps.metricsText();
    return reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8").send(text);
  });

  function* faultsOfServer(): Generator<Fault> {
    if (server.draining) yield { consumer: "api", reason: "the server is closing" };
    const failure = context.feed.failure;
    if (failure !== undefined) {
      yield { consumer: "update-feed", reason: `updates can't be read: ${failure}` };
    }
  }
}

interface Fault {
  readonly consumer: string;
  readonly reason: string;
}

function* faultsOf(consumers: readonly ConsumerHealth[], withinMs: number): Generator<Fault> {
  for (const { consumer, state, ageMs, reason } of consumers) {
    if (state !== "running") {
      const why = reason === undefined ? "" : ` (${reason})`;
      yield { consumer, reason: `${consumer} is ${state}${why}` };
    } else if (ageMs === undefined) {
      yield { consumer, reason: `${consumer} has not caught up since it started` };
    } else if (ageMs > withinMs) {
      const seconds = (ageMs / 1_000).toFixed(1);
      yield { consumer, reason: `${consumer} is ${seconds} s behind` };
    }
  }
}

/** Parked keys keep nobody else from being served: they are told, and don't make it unready. */
const shapeOf = ({ consumer, state, ageMs, parkedKeys = 0 }: ConsumerHealth) => ({
  consumer,
  state: parkedKeys > 0 && state === "running" ? "parked" : state,
  parkedKeys,
  ageMs: ageMs === undefined ? null : Math.max(0, Math.round(ageMs)),
});
