import { setImmediate } from "node:timers/promises";

import type { InjectOptions } from "fastify";
import pino from "pino";
import { describe, expect, it } from "vitest";

import type { ApiServer } from "../../../api/context.ts";
import type { ApiOptions } from "../../../api/index.ts";
import { ManualClock } from "../../../engine/memory/clock.ts";
import { type Metrics, noMetrics } from "../../../engine/ports/metrics.ts";
import { offerModule } from "../../../processors/catalogue/index.ts";
import { register } from "../../../processors/seats/index.ts";
import { realClock } from "../real-clock.ts";
import { row, serverOfTest } from "../server.ts";

const registration = {
  method: "POST",
  url: "/registrations",
  payload: { moduleCode: "MA101", studentId: "ada" },
} as const;

describe("a URL", () => {
  it.each([
    ["that is too long", `/modules/${"x".repeat(500)}`, "url-too-long"],
    ["with a query that is too long", `/modules?cursor=${"x".repeat(300)}`, "query-too-long"],
  ])("%s is refused with 414", async (_, url, code) => {
    const { app } = await serverOfTest({ options: { urlBytesMax: 400, queryBytesMax: 200 } });
    const response = await app.inject({ url });
    expect(response.statusCode).toBe(414);
    expect(response.json()).toMatchObject({ code });
  });
});

describe("a client address", () => {
  /** Time stands still for the buckets alone: the rest of the server waits in real time. */
  async function limited(options: Partial<ApiOptions>) {
    const clock = new ManualClock();
    const deps = { clock: { ...realClock, monotonicMs: () => clock.monotonicMs() } };
    return { ...(await serverOfTest({ options, deps })), clock };
  }

  it("that has spent its requests gets 429 with the time to wait, and then goes on", async () => {
    const options = { clientRequestsPerSecond: 1, clientRequestBurst: 2 };
    const { app, clock } = await limited(options);
    const ask = () => app.inject({ url: "/modules" });
    const first = await ask();
    expect(first.headers["ratelimit-policy"]).toBe('"requests";q=2;w=2');
    expect(first.headers["ratelimit"]).toBe('"requests";r=1;t=1');
    await ask();
    const refused = await ask();
    expect(refused.statusCode).toBe(429);
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.headers["ratelimit"]).toBe('"requests";r=0;t=2');
    expect(refused.json()).toMatchObject({ code: "too-many-requests" });
    clock.advance(1_000);
    expect((await ask()).statusCode).toBe(200);
  });

  it("is refused at paths that are not there too, and decides nothing", async () => {
    const { app, campus } = await limited({ clientRequestBurst: 1 });
    expect((await app.inject({ url: "/nowhere" })).statusCode).toBe(404);
    expect((await app.inject({ url: "/nowhere" })).statusCode).toBe(429);
    expect((await app.inject(registration)).statusCode).toBe(429);
    expect(campus.origins).toEqual([]);
  });

  it("doesn't spend another's requests, however it changes within its own network", async () => {
    const { app } = await limited({ clientRequestBurst: 1 });
    const from = (remoteAddress: string) => app.inject({ url: "/modules", remoteAddress });
    expect((await from("10.0.0.1")).statusCode).toBe(200);
    expect((await from("10.0.0.1")).statusCode).toBe(429);
    expect((await from("10.0.0.2")).statusCode).toBe(200);
    expect((await from("2001:db8::1")).statusCode).toBe(200);
    expect((await from("2001:db8::2")).statusCode).toBe(429);
  });

  it("sees health and metrics whatever it has spent", async () => {
    const { app } = await limited({ clientRequestBurst: 1 });
    await app.inject({ url: "/modules" });
    expect((await app.inject({ url: "/modules" })).statusCode).toBe(429);
    for (const url of ["/livez", "/readyz", "/metrics"]) {
      expect((await app.inject({ url })).statusCode).toBe(200);
    }
  });
});

describe("a server with as many requests under way as it may have", () => {
  const registering = (studentId: string) => ({
    ...registration,
    payload: { moduleCode: "MA101", studentId },
  });

  /** At once: an injected request is otherwise not sent before it is awaited. */
  const sent = async (app: ApiServer, request: InjectOptions) => await app.inject(request);

  /** One request of each kind may be under way, and commands are decided when they are let go. */
  async function crowded(metrics: Metrics = noMetrics) {
    const held = Promise.withResolvers<void>();
    const server = await serverOfTest({
      options: { underWayMin: 1, underWayFirst: 1, underWayMax: 1 },
      deps: {
        metrics,
        decider: {
          execute: async (...command) => {
            await held.promise;
            return server.campus.execute(...command);
          },
        },
      },
    });
    server.campus.history.must(offerModule(row));
    const { app } = server;
    return { ...server, held, first: sent(app, registering("ada")) };
  }

  it("refuses another of the same kind, tells when to come again, and decides nothing", async () => {
    const refused: unknown[] = [];
    const count: Metrics["count"] = (name, _, labels) => {
      if (name === "requests_refused_total") refused.push(labels);
    };
    const { app, campus, held, first } = await crowded({ ...noMetrics, count });
    const response = await app.inject(registering("eve"));
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toMatch(/^[1-9]$/);
    expect(response.json()).toMatchObject({ code: "overloaded" });
    expect(response.json<{ detail: string }>().detail).toContain("1 new commands are under way");
    expect(refused).toEqual([{ priority: "begin" }]);
    held.resolve();
    expect((await first).statusCode).toBe(201);
    expect(campus.origins).toHaveLength(1);
  });

  it("takes those that finish what has begun, and reads, all the same", async () => {
    const { app, held, first } = await crowded();
    const withdrawal = sent(app, { method: "DELETE", url: "/registrations/unknown" });
    expect((await app.inject({ url: "/modules" })).statusCode).toBe(200);
    held.resolve();
    expect((await withdrawal).statusCode).toBe(404);
    await first;
  });

  it("takes the next when one has been answered", async () => {
    const { app, held, first } = await crowded();
    held.resolve();
    await first;
    expect((await app.inject(registering("eve"))).statusCode).toBe(201);
  });

  it("keeps the place of a command that is at work when its answer is over", async () => {
    const held = Promise.withResolvers<void>();
    const { app } = await serverOfTest({
      options: { underWayMin: 1, underWayFirst: 1, underWayMax: 1, answerWithinMs: 450 },
      deps: { decider: { execute: () => held.promise.then(() => Promise.reject(new Error())) } },
    });
    const first = await app.inject(registering("ada"));
    expect(first.json()).toMatchObject({ code: "answer-timeout" });
    expect((await app.inject(registering("eve"))).json()).toMatchObject({ code: "overloaded" });
    held.resolve();
    const askAgain = async () => (await app.inject(registering("eve"))).statusCode;
    await expect.poll(askAgain).toBe(500);
  });

  it("answers health and metrics, operators, and that a path is not there", async () => {
    const { app, held, first } = await crowded();
    for (const url of ["/livez", "/readyz", "/metrics", "/admin/rebuilds"]) {
      expect((await app.inject({ url })).statusCode).toBe(200);
    }
    expect((await app.inject({ method: "POST", url: "/nowhere" })).statusCode).toBe(404);
    held.resolve();
    await first;
  });
});

describe("an answer", () => {
  it("that takes too long is 503, and what comes after it is not sent", async () => {
    const held = Promise.withResolvers<[]>();
    const { app } = await serverOfTest({
      options: { answerWithinMs: 60 },
      deps: { health: () => held.promise },
    });
    const response = await app.inject({ url: "/readyz" });
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("2");
    expect(response.json()).toMatchObject({ code: "answer-timeout" });
    held.resolve([]);
    expect((await app.inject({ url: "/readyz" })).statusCode).toBe(200);
  });

  /** Commands and readiness wait until they are let go, which is after their time. */
  async function slowServer() {
    const held = Promise.withResolvers<void>();
    const lines: string[] = [];
    const failure: { error?: Error } = {};
    const server = await serverOfTest({
      options: { answerWithinMs: 60 },
      deps: {
        logger: pino({ level: "info" }, { write: (line) => void lines.push(line) }),
        decider: {
          execute: async (...command) => {
            await held.promise;
            return server.campus.execute(...command);
          },
        },
        health: async () => {
          await held.promise;
          if (failure.error !== undefined) throw failure.error;
          return [];
        },
      },
    });
    const { history } = server.campus;
    server.campus.frozen = true;
    history.must(offerModule(row));
    const { registrationId } = history.must(register({ moduleCode: "MA101", studentId: "ada" }));
    const logged = () => lines.map((line) => JSON.parse(line) as object);
    return { ...server, held, failure, registrationId, logged };
  }

  it("to a command that comes too late is left out, and nothing about it is logged", async () => {
    const { app, campus, held, logged, registrationId } = await slowServer();
    const ids = [registrationId, "unknown"];
    const answers = await Promise.all([
      ...ids.map((id) => app.inject({ method: "DELETE", url: `/registrations/${id}` })),
      app.inject({ url: "/readyz" }),
    ]);
    for (const answer of answers) expect(answer.json()).toMatchObject({ code: "answer-timeout" });
    held.resolve();
    const lastType = () => campus.history.facts.at(-1)?.type.name;
    await expect.poll(lastType).toBe("RegistrationCancelled");
    // What comes back from the command has gone through the handlers by then.
    await setImmediate();
    expect(logged()).toEqual([]);
  });

  it("that fails unexpectedly after its time is logged once", async () => {
    const { app, failure, held, logged } = await slowServer();
    const answer = await app.inject({ url: "/readyz" });
    expect(answer.json()).toMatchObject({ code: "answer-timeout" });
    failure.error = new RangeError("no such thing");
    held.resolve();
    await expect.poll(logged).toHaveLength(1);
    expect(logged()).toMatchObject([
      { msg: "failed", url: "/readyz", err: { type: "RangeError" } },
    ]);
  });
});
