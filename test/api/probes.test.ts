import pino from "pino";
import { expect, onTestFinished, test } from "vitest";

import { buildProbes, type ProbesDependencies } from "../../api/index.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { realClock } from "./real-clock.ts";

function probesOfTest(over: Partial<ProbesDependencies> = {}) {
  const app = buildProbes({
    health: () => [{ consumer: "seats", state: "running", ageMs: 3 }],
    metricsText: async () => "refold_up 1\n",
    clock: realClock,
    random: new SeededRandom(),
    metrics: noMetrics,
    logger: pino({ level: "silent" }),
    draining: () => false,
    ...over,
  });
  onTestFinished(() => app.close());
  return app;
}

test("probes answer as the API's do, and there is nothing else", async () => {
  const app = probesOfTest();
  expect((await app.inject({ url: "/livez" })).json()).toEqual({ status: "alive" });
  const ready = await app.inject({ url: "/readyz" });
  expect(ready.json()).toEqual({
    status: "ready",
    consumers: [{ consumer: "seats", state: "running", ageMs: 3, parkedKeys: 0, reason: null }],
    copies: [],
  });
  expect((await app.inject({ url: "/metrics" })).body).toBe("refold_up 1\n");
  const commands = await app.inject({ url: "/registrations", method: "POST", payload: {} });
  expect(commands.statusCode).toBe(404);
  expect(commands.json()).toMatchObject({ code: "route-unknown" });
  const wrong = await app.inject({ url: "/readyz", method: "POST" });
  expect(wrong.statusCode).toBe(405);
});

test("a process that stops lives and isn't ready", async () => {
  const app = probesOfTest({ draining: () => true });
  const ready = await app.inject({ url: "/readyz" });
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toMatchObject({ code: "not-ready", behind: [{ consumer: "process" }] });
  expect((await app.inject({ url: "/livez" })).statusCode).toBe(200);
});
