import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Server as NetServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { Acceptors, canShareAPort } from "../../bin/acceptors.ts";

async function serverWith(count: number) {
  const reports: string[] = [];
  const report = (message: string): void => void reports.push(message);
  const server = createServer((_, response) => response.end("here"));
  server.listen({ host: "127.0.0.1", port: 0, reusePort: canShareAPort });
  await once(server, "listening");
  const acceptors = await Acceptors.beside({
    server,
    count: canShareAPort ? count : 0,
    report,
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await acceptors[Symbol.asyncDispose]();
  });
  return { server, acceptors, reports };
}

async function connected(server: Server, count: number): Promise<readonly Socket[]> {
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: count }, () => connect({ port, host: "127.0.0.1" }));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return sockets;
}

test("connections of all listeners are the server's, and get its answers", async () => {
  const { server } = await serverWith(7);
  const sockets = await connected(server, 64);
  const answers = sockets.map(async (socket) => {
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString();
  });
  for (const answer of await Promise.all(answers)) expect(answer).toContain("200 OK");
});

test("several are accepted in one turn of the event loop, where the system can do so", async () => {
  const { server } = await serverWith(7);
  const accepted: Socket[] = [];
  let mostInATurn = 0;
  server.on("connection", (socket) => accepted.push(socket));
  const connecting = connected(server, 200);
  while (accepted.length < 200) {
    const before = accepted.length;
    await turn();
    mostInATurn = Math.max(mostInATurn, accepted.length - before);
  }
  await connecting;
  expect(mostInATurn).toBeGreaterThan(canShareAPort ? 1 : 0);
});

test("those above the server's most are closed unheard, whoever accepted them", async () => {
  const { server } = await serverWith(7);
  server.maxConnections = 4;
  const sockets = await connected(server, 64);
  const ends = sockets.map((socket) => once(socket.resume(), "close").then(() => 1));
  const closed = async () => {
    const none = turn().then(() => 0);
    const counts = await Promise.all(ends.map((end) => Promise.race([end, none])));
    return counts.filter((count) => count === 1).length;
  };
  await expect.poll(closed).toBeGreaterThanOrEqual(64 - 8);
});

/** The listeners that have accepted some of 64 connections; the server itself among them. */
async function listenersOf(server: Server): Promise<readonly NetServer[]> {
  const accepted: Socket[] = [];
  server.on("connection", (socket) => accepted.push(socket));
  await connected(server, 64);
  await expect.poll(() => accepted.length).toBe(64);
  // Node has no public name for who accepted a socket.
  const owners = accepted.map((socket) => (socket as unknown as { _server: NetServer })._server);
  return [...new Set(owners)];
}

test("a listener that can't accept is told with the cause, seldom, and the process goes on", async () => {
  const { server, reports } = await serverWith(7);
  const listeners = await listenersOf(server);
  const error = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
  for (const listener of [...listeners, ...listeners]) listener.emit("error", error);
  expect(reports).toHaveLength(listeners.length);
  expect(reports[0]).toMatch(
    /^A listener on 127\.0\.0\.1 port \d+ can't accept a connection: accept EMFILE\. .*ulimit -n/,
  );
});

test("a listener that closes by itself is told, and one that is closed is not", async () => {
  const { server, acceptors, reports } = await serverWith(7);
  const [, another = server] = await listenersOf(server);
  server.closeAllConnections();
  await new Promise((resolve) => another.close(resolve));
  expect(reports).toEqual([expect.stringContaining("has closed by itself")]);
  await acceptors[Symbol.asyncDispose]();
  expect(reports).toHaveLength(1);
});
