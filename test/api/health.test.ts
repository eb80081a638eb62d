import { connect } from "node:net";

import { describe, expect, it } from "vitest";

import type { ConsumerHealth, CopyHealth } from "../../api/index.ts";
import { noMetrics, type Labels } from "../../engine/ports/metrics.ts";
import { serverOfTest } from "./server.ts";

const running: ConsumerHealth = { consumer: "seats", state: "running", ageMs: 3 };

async function readiness(health: readonly ConsumerHealth[]) {
  const { app } = await serverOfTest({ deps: { health: () => health } });
  return app.inject({ url: "/readyz" });
}

describe("/readyz", () => {
  it("says ready when every consumer runs and is caught up within the bound", async () => {
    const response = await readiness([running, { ...running, consumer: "x", ageMs: 4_999 }]);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ status: "ready" });
  });

  it("tells parked keys, and is ready all the same", async () => {
    const response = await readiness([
      { ...running, parkedKeys: 2 },
      { ...running, consumer: "x" },
    ]);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      consumers: [
        { consumer: "seats", state: "parked", parkedKeys: 2 },
        { consumer: "x", state: "running", parkedKeys: 0 },
      ],
    });
  });

  it("tells what somebody should look at, and is ready all the same", async () => {
    const reason = "2 payment.charge given up (refold effects list)";
    const response = await readiness([running, { ...running, consumer: "effects", reason }]);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      status: "ready",
      consumers: [{ reason: null }, { consumer: "effects", state: "running", reason }],
    });
  });

  it("is ready while a copy of a read model is behind, and says why", async () => {
    const behind: CopyHealth = {
      store: "redis",
      projection: "seats",
      state: "behind",
      ageMs: undefined,
      partitionsBehind: [3, 7],
      rowsWaiting: 12,
      reason: "Redis was emptied.",
    };
    const current = { ...behind, state: "current", ageMs: 4.6, partitionsBehind: [] } as const;
    const copies = { now: [current] as readonly CopyHealth[] };
    const deps = { health: () => [running], copies: () => copies.now };
    const { app } = await serverOfTest({ deps });
    const asked = async () => (await app.inject({ url: "/readyz" })).json<object>();
    expect(await asked()).toMatchObject({ status: "ready", copies: [{ ageMs: 5 }] });
    copies.now = [current, behind];
    const response = await app.inject({ url: "/readyz" });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      status: "degraded",
      copies: [
        { state: "current" },
        { state: "behind", ageMs: null, partitionsBehind: [3, 7], reason: "Redis was emptied." },
      ],
    });
  });

  it.each([
    ["is behind", { ...running, ageMs: 9_000 }, "seats is 9.0 s behind"],
    ["never caught up", { ...running, ageMs: undefined }, "seats has not caught up"],
    ["has halted", { ...running, state: "halted", reason: "hole" }, "seats is halted (hole)"],
  ])("names a consumer that %s", async (_, consumer, reason) => {
    const response = await readiness([consumer]);
    expect(response.statusCode).toBe(503);
    const problem = response.json<{ code: string; behind: { reason: string }[] }>();
    expect(problem.code).toBe("not-ready");
    expect(problem.behind[0]?.reason).toContain(reason);
  });
});

describe("/livez and /metrics", () => {
  it("answer without asking anything else", async () => {
    const { app } = await serverOfTest();
    expect((await app.inject({ url: "/livez" })).json()).toEqual({ status: "alive" });
    const metrics = await app.inject({ url: "/metrics" });
    expect(metrics.headers["content-type"]).toContain("text/plain");
    expect(metrics.body).toBe("refold_up 1\n");
  });

  it("are measured by route, method and status, whatever the ids", async () => {
    const seen: Labels[] = [];
    const observe = (_name: string, _value: number, labels: Labels = {}) => seen.push(labels);
    const metrics = { ...noMetrics, observe };
    const { app } = await serverOfTest({ deps: { metrics } });
    await app.inject({ url: "/modules/A" });
    await app.inject({ url: "/modules/B" });
    await app.inject({ method: "PURGE", url: "/nowhere/7" } as never);
    expect(seen).toEqual([
      { route: "/modules/:code", method: "GET", status: "404" },
      { route: "/modules/:code", method: "GET", status: "404" },
      { route: "none", method: "other", status: "404" },
    ]);
  });
});

describe("closing", () => {
  it("finishes what is in flight and refuses what comes on open connections", async () => {
    const held = Promise.withResolvers<readonly ConsumerHealth[]>();
    const { app } = await serverOfTest({ deps: { health: () => held.promise } });
    const url = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
    const socket = connect(Number(url.port), "127.0.0.1");
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => (received += text));
    const ended = new Promise((resolve) => socket.once("close", resolve));

    // Both requests are on one connection: the second is parsed while the first is in flight.
    socket.write("GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(() => app.server.listening).toBe(true);
    const inFlight = new Promise<void>((resolve) => app.server.once("request", () => resolve()));
    await inFlight;
    const closed = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    socket.write("GET /modules HTTP/1.1\r\nhost: x\r\n\r\n");
    held.resolve([running]);
    await Promise.all([closed, ended]);
    expect(received).toContain("HTTP/1.1 503 Service Unavailable");
    expect(received).toContain("the server is closing");
    expect(received).toContain('"code":"draining"');
  });
});
