import type { FastifyReply, FastifyRequest } from "fastify";
import pino from "pino";
import { onTestFinished } from "vitest";

import { type ApiDependencies, type ApiOptions, buildApi } from "../../api/index.ts";
import { CommandCounts } from "../../api/live/command-counts.ts";
import type { LiveSources } from "../../api/live/sources.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import { Campus } from "./campus.ts";
import { LettersOfTest } from "./letters-of-test.ts";
import { realClock } from "./real-clock.ts";
import { tracesOfTest } from "./traces-of-test.ts";
import { type ApiDocument, Contract } from "./contract.ts";

export interface Given {
  readonly options?: Partial<ApiOptions>;
  readonly deps?: Partial<ApiDependencies>;
  /** What stands between the server and the campus' log. */
  readonly before?: (log: RecordLog) => ApiDependencies["log"];
}

/**
 * A server on a campus of its own, closed when the test ends. The test fails when an answer differs
 * from the server's own document.
 */
export async function serverOfTest(given: Given = {}) {
  const campus = await Campus.open();
  const letters = await new LettersOfTest().prepare();
  const app = buildApi({
    decider: campus,
    idempotencyKeys: campus.idempotencyKeys,
    eventStore: campus.eventStore,
    reader: campus.reader,
    history: campus.past.history,
    codec: campus.codec,
    log: given.before?.(campus.log) ?? campus.log,
    clock: realClock,
    random: new SeededRandom(),
    metrics: noMetrics,
    logger: pino({ level: "silent" }),
    health: () => [],
    metricsText: async () => "refold_up 1\n",
    ageMs: () => 12.4,
    administration: campus,
    letters: letters.administration,
    traces: await tracesOfTest(),
    live: liveOfTest(),
    options: { waitForMs: 60, waitPollMs: 1, streamEndMs: 100, ...given.options },
    ...given.deps,
  });
  const routes = routesOf(app);
  holdToContract(app);
  onTestFinished(async () => {
    await app.close();
    await campus.log[Symbol.asyncDispose]();
  });
  await app.ready();
  return { app, campus, letters, routes };
}

/** A live view of a system in which nothing happens. */
const liveOfTest = (): LiveSources => ({
  status: async () => ({ consumers: [] }),
  gather: async () => ({
    capture: { state: "running", lagBytes: null },
    consumers: [],
    sagas: { payments: null },
    rebuilds: [],
    effects: [],
    deadLetters: 0,
  }),
  commands: new CommandCounts(),
});

/** Every route that is added from now on: `get /modules/{code}`. */
function routesOf(app: ReturnType<typeof buildApi>): readonly string[] {
  const routes: string[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    const path = url.replaceAll(/:(\w+)/g, "{$1}");
    for (const name of [method].flat()) routes.push(`${name.toLowerCase()} ${path}`);
  });
  return routes;
}

/** Looks at every answer that the routes give, however the request came. */
function holdToContract(app: ReturnType<typeof buildApi>): void {
  const faults: string[] = [];
  let contract: Contract | undefined;
  const compare = (request: FastifyRequest, reply: FastifyReply, body: unknown) => {
    contract ??= new Contract(app.swagger() as unknown as ApiDocument);
    const { method, url } = request;
    const headers = { ...reply.raw.getHeaders(), ...reply.getHeaders() };
    const answer = { method, url, headers, body: typeof body === "string" ? body : undefined };
    const fault = contract.faultOf({ ...answer, status: reply.raw.statusCode });
    if (fault !== undefined) faults.push(fault);
  };
  const compared = new WeakSet<FastifyRequest>();
  app.addHook("onSend", async (request, reply, payload) => {
    compared.add(request);
    reply.raw.statusCode = reply.statusCode;
    compare(request, reply, payload);
    return payload;
  });
  // Streams write their answers past the hook before.
  app.addHook("onResponse", async (request, reply) => {
    if (!compared.has(request)) compare(request, reply, undefined);
  });
  onTestFinished(() => {
    if (faults.length > 0)
      throw new Error(`Answers that are not documented:\n${faults.join("\n")}`);
  });
}

export const row = {
  moduleCode: "MA101",
  title: "Algebra",
  capacity: 2,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
};
