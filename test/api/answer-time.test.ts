import { Readable } from "node:stream";

import fastify from "fastify";
import { expect, onTestFinished, test } from "vitest";

import { limitAnswerTime } from "../../api/answer-time.ts";
import { handleErrors } from "../../api/error-handling.ts";

const withinMs = 80;

/** A server whose routes answer at once, never, or begin to and go no further. */
async function listening(): Promise<string> {
  const app = fastify();
  handleErrors(app);
  limitAnswerTime(app, withinMs);
  app.get("/quick", async () => ({ ok: true }));
  app.get("/never", () => new Promise(() => undefined));
  app.get("/begun", (_, reply) => {
    const stalled = new Readable({ read: () => undefined });
    stalled.push("the beginning");
    return reply.send(stalled);
  });
  app.get("/handed-over", (_, reply) => {
    reply.hijack();
    setTimeout(() => reply.raw.end("late, and its own affair"), 3 * withinMs);
  });
  onTestFinished(() => app.close());
  return app.listen({ port: 0, host: "127.0.0.1" });
}

test("who waits too long is told so, each after the same time, and others are answered meanwhile", async () => {
  const url = await listening();
  const began = performance.now();
  const waiting = [1, 2, 3].map(async () => {
    const response = await fetch(`${url}/never`);
    return { status: response.status, body: await response.json() };
  });
  expect(await (await fetch(`${url}/quick`)).json()).toEqual({ ok: true });
  for (const answer of await Promise.all(waiting)) {
    expect(answer).toMatchObject({ status: 503, body: { code: "answer-timeout" } });
  }
  expect(performance.now() - began).toBeGreaterThanOrEqual(withinMs - 1);
  expect((await fetch(`${url}/never`)).status).toBe(503);
});

test("an answer that has begun and goes no further is broken off, not taken for whole", async () => {
  const url = await listening();
  const response = await fetch(`${url}/begun`);
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
});

test("what a route has taken over is left to it", async () => {
  const url = await listening();
  expect(await (await fetch(`${url}/handed-over`)).text()).toBe("late, and its own affair");
});
