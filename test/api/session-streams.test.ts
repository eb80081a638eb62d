import type { AddressInfo } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import {
  type GivenAccess,
  guardedServer,
  type GuardedServer,
  sessionOf,
} from "./access-of-test.ts";
import { EventReader } from "./streams.ts";

type Headers = Record<string, string>;

/** A server with streams that need a session, listening. */
async function streaming(given: GivenAccess = {}) {
  const server = await guardedServer(given);
  await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  return { ...server, authority: `127.0.0.1:${port}` };
}

async function ticketOf({ app }: Pick<GuardedServer, "app">, headers: Headers): Promise<string> {
  const response = await app.inject({ method: "POST", url: "/tickets", headers });
  expect([response.statusCode, response.headers["cache-control"]]).toEqual([201, "no-store"]);
  return response.json<{ ticket: string }>().ticket;
}

/** Opens a WebSocket; what the server said in place of opening it, or its close afterwards. */
function socketOf(url: string, headers: Headers = {}) {
  const socket = new WebSocket(url, { headers });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  const opened = new Promise<number>((resolve) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
  const closed = new Promise<number>((resolve) => void socket.once("close", resolve));
  return { opened, closed };
}

describe("a stream that needs a session", () => {
  it("opens by a ticket, once", async () => {
    const server = await streaming();
    const { headers } = await sessionOf(server, "viewer");
    const ticket = await ticketOf(server, headers);
    const url = `http://${server.authority}/live?ticket=${ticket}`;
    expect((await EventReader.open(url)).response.statusCode).toBe(200);
    expect((await EventReader.open(url)).response.statusCode).toBe(401);
    const socket = `ws://${server.authority}/ws/live?ticket=`;
    expect(await socketOf(`${socket}${ticket}`).opened).toBe(401);
    expect(await socketOf(`${socket}${await ticketOf(server, headers)}`).opened).toBe(101);
  });

  it("opens by a ticket that is young enough, and gives no more than may wait", async () => {
    const server = await streaming({ limits: { ticketMs: 1, ticketsMax: 1 } });
    const { headers } = await sessionOf(server, "viewer");
    const ticket = await ticketOf(server, headers);
    await expect.poll(() => performance.now()).toBeGreaterThan(performance.now() + 2);
    const url = `http://${server.authority}/live?ticket=${ticket}`;
    expect((await EventReader.open(url)).response.statusCode).toBe(401);
    const few = await streaming({ limits: { ticketsMax: 1 } });
    const again = await sessionOf(few, "viewer");
    await ticketOf(few, again.headers);
    const second = await few.app.inject({
      method: "POST",
      url: "/tickets",
      headers: again.headers,
    });
    expect(second.json()).toMatchObject({ code: "too-many-tickets" });
  });

  it("takes no ticket of a role that may not watch, nor for anything but a stream", async () => {
    const server = await streaming();
    const student = await sessionOf(server, "student");
    const ticket = await ticketOf(server, student.headers);
    const refused = await EventReader.open(`http://${server.authority}/live?ticket=${ticket}`);
    expect(refused.response.statusCode).toBe(403);
    const viewer = await sessionOf(server, "viewer");
    const other = await ticketOf(server, viewer.headers);
    const report = await server.app.inject({ url: `/admin/status?ticket=${other}` });
    expect(report.json()).toMatchObject({ code: "session-required" });
  });

  it.each([
    ["another origin", { origin: "http://evil.example" }, 403],
    ["an origin that only begins alike", { origin: "https://portal.example.org" }, 403],
    ["a listed origin", { origin: "https://portal.example" }, 101],
    ["a page of its own", { origin: "own" }, 101],
    ["a page without an origin of its own", { origin: "null" }, 403],
    ["no browser", {}, 101],
    ["an event source of elsewhere", { "sec-fetch-site": "cross-site" }, 403],
  ])("to %s", async (_, given, status) => {
    const server = await streaming({ origins: ["https://portal.example"] });
    const { headers } = await sessionOf(server, "viewer");
    const own = `http://${server.authority}`;
    const sent = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value === "own" ? own : value]),
    );
    const ticket = await ticketOf(server, headers);
    const url = `ws://${server.authority}/ws/live?ticket=${ticket}`;
    expect(await socketOf(url, sent).opened).toBe(status);
  });

  it("ends when the session is revoked: 4003, and an event of that name", async () => {
    const server = await streaming();
    const { headers, identity } = await sessionOf(server, "viewer");
    const socket = socketOf(`ws://${server.authority}/ws/live`, headers);
    expect(await socket.opened).toBe(101);
    const stream = await EventReader.open(`http://${server.authority}/live`, headers);
    server.sessions.ended(identity.sessionId, "revoked");
    expect(await socket.closed).toBe(4003);
    await expect.poll(() => stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({
      event: "end",
      data: { code: "session-revoked" },
    });
  });

  it("ends when the session's time is over: 4001, and an event of that name", async () => {
    const server = await streaming();
    const expiresAtMs = Date.now() + 2_500;
    const { headers } = await sessionOf(server, "viewer", { expiresAtMs });
    const socket = socketOf(`ws://${server.authority}/ws/live`, headers);
    expect(await socket.opened).toBe(101);
    const stream = await EventReader.open(`http://${server.authority}/live`, headers);
    expect(await socket.closed).toBe(4001);
    await expect.poll(() => stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({ data: { code: "session-expired" } });
  });

  it("of a rebuild ends with its session, too", async () => {
    const server = await streaming();
    const { campus } = server;
    const { headers, identity } = await sessionOf(server, "admin");
    const payload = { projection: campus.projections[0]?.name, reason: "to see it end" };
    const asked = await server.app.inject({
      method: "POST",
      url: "/admin/rebuilds",
      headers,
      payload,
    });
    const { id } = asked.json<{ id: string }>();
    const url = `http://${server.authority}/admin/rebuilds/${id}/events`;
    const stream = await EventReader.open(url, headers);
    await expect.poll(() => stream.events.length).toBe(1);
    server.sessions.ended(identity.sessionId, "revoked");
    await expect.poll(() => stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({ data: { code: "session-revoked" } });
  });

  it("stays open to everybody where it is public", async () => {
    const server = await streaming();
    const origin = { origin: "http://evil.example" };
    const url = `ws://${server.authority}/ws/registration-updates`;
    expect(await socketOf(url, origin).opened).toBe(101);
  });
});
