import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";

import { expect, onTestFinished, test } from "vitest";

import { RedisConnection } from "../../connectors/redis/index.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { until } from "./followed.ts";

async function serverOfTest(): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function connectionTo(server: RedisServer, limits: object = {}): RedisConnection {
  const redis = new RedisConnection({ url: server.url, name: "test", ...limits });
  onTestFinished(() => redis[Symbol.asyncDispose]());
  return redis;
}

/** A process that does nothing else for so long, and then has one turn for all that has come. */
async function busyTurn(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
  await turn();
}

test("a process that is busy for longer than a call may take connects, and its calls are answered", async () => {
  const server = await serverOfTest();
  const redis = connectionTo(server, { deadlineMs: 50, connectMs: 2_000 });
  const giveUpMs = performance.now() + 10_000;
  while (!redis.connected && performance.now() < giveUpMs) await busyTurn(120);
  expect(redis.connected, redis.fault).toBe(true);
  const answer = redis.command("Testing", (commands) => commands.ping());
  answer.catch(() => undefined);
  await busyTurn(120);
  await busyTurn(120);
  expect(await answer).toBe("PONG");
});

test("a server that hangs while a process connects is connected to when it goes on", async () => {
  const server = await serverOfTest();
  server.signal("SIGSTOP");
  const redis = connectionTo(server, { connectMs: 200, reconnectMsMax: 50 });
  expect(await redis.connectedWithin(100)).toBe(false);
  await until("it is given up", async () => /said nothing within 200 ms/.test(redis.fault ?? ""));
  server.signal("SIGCONT");
  await until("it is connected", async () => redis.connected);
  expect(redis.fault).toBeUndefined();
  expect(await redis.command("Testing", (commands) => commands.ping())).toBe("PONG");
});

test("a connection whose handshake is done isn't ended by the time that connecting may take", async () => {
  const server = await serverOfTest();
  const redis = connectionTo(server, { connectMs: 100 });
  await until("it is connected", async () => redis.connected);
  const id = await redis.command("Testing", (commands) => commands.client("ID"));
  await delay(300);
  expect(await redis.command("Testing", (commands) => commands.client("ID"))).toBe(id);
});
