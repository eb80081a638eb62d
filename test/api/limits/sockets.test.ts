import { describe, expect, it } from "vitest";

import type { ApiOptions } from "../../../api/index.ts";
import { serverOfTest } from "../server.ts";
import { get, RawClient } from "./raw-client.ts";

const quick = { headersWithinMs: 100, requestWithinMs: 200, arrivalCheckMs: 20 };

async function listening(options: Partial<ApiOptions>) {
  const { app, campus } = await serverOfTest({ options });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, campus, url, open: (from?: string) => RawClient.open(url, from) };
}

async function answered(client: RawClient, path = "/livez"): Promise<number | undefined> {
  const before = client.statuses.length;
  client.write(get(path));
  await expect.poll(() => client.statuses.length, { timeout: 5_000 }).toBeGreaterThan(before);
  return client.statuses.at(-1);
}

describe("connections", () => {
  it("above the most in all are told so with 503 and closed; the others stay", async () => {
    const { open } = await listening({ connectionsMax: 2 });
    const [first, second] = [await open(), await open()];
    expect(await answered(first)).toBe(200);
    expect(await answered(second)).toBe(200);
    const third = await open();
    expect(await answered(third)).toBe(503);
    expect(third.codes).toEqual(["too-many-connections"]);
    expect(third.received).toMatch(/retry-after: \d/i);
    await expect.poll(() => third.closed).toBe(true);
    expect(await answered(first)).toBe(200);
  });

  it("above the most of one address are told so with 429; another address is served", async () => {
    const { open } = await listening({ clientConnectionsMax: 1 });
    const first = await open();
    expect(await answered(first)).toBe(200);
    const second = await open();
    expect(await answered(second)).toBe(429);
    expect(second.codes).toEqual(["too-many-client-connections"]);
    expect(await answered(await open("127.0.0.2"))).toBe(200);
    first.socket.destroy();
    await expect.poll(async () => answered(await open())).toBe(200);
  });

  it("above those that may wait for a refusal are closed unheard", async () => {
    const { open } = await listening({ connectionsMax: 1, refusedConnectionsMax: 1 });
    const kept = [await open(), await open()];
    const cut = await open();
    await expect.poll(() => cut.closed).toBe(true);
    expect(cut.received).toBe("");
    expect(kept.map(({ closed }) => closed)).toEqual([false, false]);
  });

  it("that ask for nothing any more are closed", async () => {
    const { open } = await listening({ keepAliveMs: 50 });
    const client = await open();
    expect(await answered(client)).toBe(200);
    await expect.poll(() => client.closed, { timeout: 5_000 }).toBe(true);
  });
});

describe("a request", () => {
  it("whose headers are too large is answered with 431", async () => {
    const { open } = await listening({ headerBytesMax: 4_096, urlBytesMax: 2_048 });
    const client = await open();
    client.write(get("/livez", `x-large: ${"x".repeat(5_000)}\r\n`));
    await expect.poll(() => client.closed).toBe(true);
    expect(client.statuses).toEqual([431]);
    expect(client.codes).toEqual(["headers-too-large"]);
  });

  it("that is no HTTP is answered with 400, and its connection is closed", async () => {
    const { open } = await listening({});
    const client = await open();
    client.write("HELO refold\r\n\r\n");
    await expect.poll(() => client.closed).toBe(true);
    expect(client.statuses).toEqual([400]);
    expect(client.codes).toEqual(["http-invalid"]);
  });

  it.each([
    ["never begins", ""],
    ["sends its headers byte by byte", "GET /livez HTTP/1.1\r\nhost:"],
    ["promises more body than it sends", post("100", "{")],
    ["ends no chunk", post(undefined, "1\r\n{")],
  ])("that %s is cut with 408 in time", async (_, text) => {
    const { open, campus } = await listening(quick);
    const client = await open();
    const beganMs = performance.now();
    client.write(text);
    await expect.poll(() => client.closed, { timeout: 3_000 }).toBe(true);
    expect(client.statuses).toEqual([408]);
    expect(client.codes).toEqual(["request-timeout"]);
    expect(performance.now() - beganMs).toBeLessThan(2_000);
    expect(campus.origins).toEqual([]);
  });

  it("that trickles is cut however often it sends a byte", async () => {
    const { open } = await listening(quick);
    const client = await open();
    const trickle = setInterval(() => client.write("x"), 10);
    client.write("GET /livez HTTP/1.1\r\nx-slow: ");
    await expect.poll(() => client.closed, { timeout: 3_000 }).toBe(true);
    clearInterval(trickle);
    expect(client.statuses).toEqual([408]);
  });
});

describe("a reader", () => {
  it("that takes nothing of its answers is cut when its socket is silent for too long", async () => {
    const { app, open } = await listening({ silentMs: 300, heartbeatMs: 200 });
    const client = await open();
    client.socket.pause();
    // The document is some 100 kB: these answers are more than the kernel buffers.
    for (let count = 0; count < 200; count += 1) client.write(get("/openapi.json"));
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) => {
        app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
    await expect.poll(connections).toBe(1);
    await expect.poll(connections, { timeout: 8_000 }).toBe(0);
  });
});

function post(length: string | undefined, body: string): string {
  const size = length === undefined ? "transfer-encoding: chunked" : `content-length: ${length}`;
  const head = "POST /registrations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  return `${head}${size}\r\n\r\n${body}`;
}
