import { once } from "node:events";
import { connect as connectTls } from "node:tls";

import { expect, onTestFinished, test } from "vitest";

import type { ConsumerHealth, ServerTls } from "../../../api/index.ts";
import { listenOn } from "../../../bin/port.ts";
import { Authority } from "../../security/authority.ts";
import { serverOfTest } from "../server.ts";
import { get, RawClient } from "./raw-client.ts";

/** A server with as many listeners as the API's, whose `/readyz` answers when it is let go. */
async function closable(tls?: ServerTls) {
  const held = Promise.withResolvers<readonly ConsumerHealth[]>();
  const deps = { health: () => held.promise, ...(tls === undefined ? {} : { tls }) };
  const { app } = await serverOfTest({ deps });
  const listening = await listenOn(app, { host: "127.0.0.1", port: 0 }, 16);
  /** @returns How long it takes, in milliseconds. */
  const close = async (): Promise<number> => {
    const began = performance.now();
    await listening.close();
    return performance.now() - began;
  };
  return { app, held, close, url: listening.url };
}

test("connections that never asked anything and that are idle are ended at once", async () => {
  const { url, close } = await closable();
  const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(url)));
  for (const client of clients.slice(0, 20)) client.write(get("/livez"));
  const statuses = () => clients.flatMap((client) => client.statuses);
  await expect.poll(statuses, { timeout: 10_000 }).toHaveLength(20);
  expect(clients.some(({ closed }) => closed)).toBe(false);
  expect(await close()).toBeLessThan(1_000);
  await expect.poll(() => clients.every(({ closed }) => closed)).toBe(true);
});

test("a request under way is answered in full, and its connection ended then", async () => {
  const { app, held, url, close } = await closable();
  const client = await RawClient.open(url);
  const begun = once(app.server, "request");
  client.write(get("/readyz"));
  await begun;
  const closed = close();
  await expect.poll(() => app.server.listening).toBe(false);
  expect(client.received).toBe("");
  const letGo = performance.now();
  held.resolve([{ consumer: "seats", state: "running", ageMs: 3 }]);
  await closed;
  expect(performance.now() - letGo).toBeLessThan(1_000);
  await expect.poll(() => client.closed).toBe(true);
  const [head = "", body = ""] = client.received.split("\r\n\r\n");
  expect(head).toContain(`content-length: ${body.length}`);
  expect(JSON.parse(body)).toMatchObject({ detail: "Not ready: the server is closing." });
});

test("with TLS, connections before and after their handshake are ended as well", async () => {
  const issued = new Authority().issue({ commonName: "here", names: ["127.0.0.1"] });
  const { app, url, close } = await closable(issued);
  const silent = await RawClient.open(url);
  const asked = connectTls({ port: Number(new URL(url).port), rejectUnauthorized: false });
  onTestFinished(() => void asked.destroy());
  asked.write(get("/livez"));
  const [answer] = (await once(asked, "data")) as [Buffer];
  expect(answer.toString()).toContain("200 OK");
  const ended = once(asked.resume(), "close");
  expect(await close()).toBeLessThan(1_000);
  await ended;
  await expect.poll(() => silent.closed).toBe(true);
  expect(app.server.listening).toBe(false);
});
