import { Type } from "typebox";

import { access } from "../access/rules.ts";
import { jsonAnswer, probeProblemAnswers, textAnswer } from "../answers.ts";
import type { ApiServer } from "../context.ts";
import type { ConsumerHealth, CopyHealth, HealthSources } from "../dependencies.ts";
import { tags } from "../documentation/openapi.ts";
import { retryAfter, sendProblem } from "../problem.ts";
import { AgeMs } from "../shapes.ts";

const Ready = Type.Object({
  status: Type.Enum(["ready", "degraded"], {
    description:
      "`degraded` where a copy of a read model is behind (answers come from Postgres), or a read " +
      "model is served whose code is gone",
  }),
  consumers: Type.Array(
    Type.Object({
      consumer: Type.String(),
      state: Type.String({
        description:
          "`running`; `parked` where it runs and some keys wait behind dead letters; `waiting` " +
          "where what another version has built serves, as old as `ageMs` says",
      }),
      ageMs: AgeMs,
      parkedKeys: Type.Integer({ minimum: 0 }),
      reason: Type.Union([Type.String(), Type.Null()], {
        description:
          "What somebody should look at while it goes on: effects that were given up, say, or a " +
          "deadline that can't be decided",
      }),
    }),
  ),
  copies: Type.Array(
    Type.Object({
      store: Type.String(),
      projection: Type.String(),
      state: Type.Enum(["current", "behind"]),
      ageMs: AgeMs,
      partitionsBehind: Type.Array(Type.Integer({ minimum: 0 })),
      rowsWaiting: Type.Integer({
        minimum: 0,
        description: "Rows that this process has committed and not yet brought there",
      }),
      reason: Type.Union([Type.String(), Type.Null()]),
    }),
    { description: "Stores that answer queries beside the one that commits first" },
  ),
});

/** What health and metrics are told from. */
export interface Probed extends HealthSources {
  /** A consumer older than this makes `/readyz` say no. */
  readonly readyWithinMs: number;
  /** What keeps the server itself from being ready. */
  readonly faults: () => Iterable<Fault>;
}

/** Why something is not ready. */
export interface Fault {
  readonly consumer: string;
  readonly reason: string;
}

/** `/livez`, `/readyz` and `/metrics`: the same for every process that serves HTTP. */
export function healthRoutes(app: ApiServer, probed: Probed): void {
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
    config: { access: access.anyone },
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
    config: { access: access.anyone },
    schema,
    handler: async (request, reply) => {
      const consumers = await probed.health();
      const behind = [...faultsOf(consumers, probed.readyWithinMs), ...probed.faults()];
      if (behind.length === 0) return readyOf(consumers, probed.copies?.() ?? []);
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
  app.get("/metrics", { schema: metrics, config: { access: access.anyone } }, async (_, reply) => {
    const text = await probed.metricsText();
    return reply.header("content-type", "text/plain; version=0.0.4; charset=utf-8").send(text);
  });
}

function* faultsOf(consumers: readonly ConsumerHealth[], withinMs: number): Generator<Fault> {
  for (const { consumer, state, ageMs, reason } of consumers) {
    // What another version's code has built serves, and its age is told.
    if (state === "waiting" && ageMs !== undefined) continue;
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

const readyOf = (consumers: readonly ConsumerHealth[], copies: readonly CopyHealth[]) => ({
  status:
    copies.every(({ state }) => state === "current") &&
    consumers.every(({ state }) => state !== "waiting")
      ? ("ready" as const)
      : ("degraded" as const),
  consumers: consumers.map(shapeOf),
  copies: copies.map(copyShapeOf),
});

/** Parked keys keep nobody else from being served: they are told, and don't make it unready. */
const shapeOf = ({ consumer, state, ageMs, parkedKeys = 0, reason }: ConsumerHealth) => ({
  consumer,
  state: parkedKeys > 0 && state === "running" ? "parked" : state,
  parkedKeys,
  ageMs: roundedAge(ageMs),
  reason: reason ?? null,
});

const copyShapeOf = ({ ageMs, partitionsBehind, reason, ...rest }: CopyHealth) => ({
  ...rest,
  ageMs: roundedAge(ageMs),
  partitionsBehind: [...partitionsBehind],
  reason: reason ?? null,
});

const roundedAge = (ageMs: number | undefined): number | null =>
  ageMs === undefined ? null : Math.max(0, Math.round(ageMs));
