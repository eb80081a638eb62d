import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import { databaseOfTest } from "../support/database.ts";
import { ask } from "./refold-instance.ts";
import { refold, RefoldProcess, until } from "./refold-process.ts";

/** What is told elsewhere is known here within this time. */
const withinMs = 1_000;

const json = { "content-type": "application/json" };

async function processOn(databaseUrl: string, args: readonly string[]): Promise<string> {
  const environment = { DATABASE_URL: databaseUrl, REFOLD_AUTH: "on" };
  const process = new RefoldProcess(args, environment);
  onTestFinished(async () => {
    process.child.kill("SIGKILL");
    await process.ended;
  });
  const [, url = ""] = await process.printed(/(http:\/\/127\.0\.0\.1:\d+)/, 60_000);
  await until(
    async () => ((await ask(`${url}/readyz`)).status === 200 ? true : undefined),
    30_000,
    () => `${url} ready`,
  );
  return url;
}

async function adminOf(databaseUrl: string): Promise<{ user: string; password: string }> {
  const args = ["users", "add", "root", "--role", "admin", "--json"];
  const { out, err } = await refold(args, { DATABASE_URL: databaseUrl });
  expect(err).toBe("");
  return { user: "root", password: (JSON.parse(out) as { password: string }).password };
}

const codeAt = async (url: string, headers: Record<string, string>): Promise<unknown> =>
  (await ask(`${url}/sessions`, { headers })).body["code"];

test("a session that one process ends is over at another within a second, and so are its streams", async () => {
  const databaseUrl = await databaseOfTest();
  const here = await processOn(databaseUrl, ["start", "--port", "0"]);
  const there = await processOn(databaseUrl, ["api", "--port", "0"]);
  const account = JSON.stringify(await adminOf(databaseUrl));
  const opened = await ask(`${here}/sessions`, { method: "POST", headers: json, body: account });
  expect(opened.status).toBe(201);
  const headers = { authorization: `Bearer ${String(opened.body["token"])}` };
  // The other process has never heard of the session, and knows its token by the keys they share.
  expect(await codeAt(there, headers)).toBeUndefined();
  const socket = new WebSocket(`${there.replace("http", "ws")}/ws/live`, { headers });
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const closed = new Promise<{ code: number; atMs: number }>((resolve) => {
    socket.once("close", (code) => resolve({ code, atMs: performance.now() }));
  });

  const ended = await ask(`${here}/sessions/current`, { method: "DELETE", headers });
  const endedAtMs = performance.now();
  expect(ended.status).toBe(200);
  expect(await codeAt(here, headers)).toBe("session-revoked");
  await until(
    async () => ((await codeAt(there, headers)) === "session-revoked" ? true : undefined),
    withinMs,
    () => "the other process knows it",
  );
  const { code, atMs } = await closed;
  expect(code).toBe(4003);
  expect(atMs - endedAtMs).toBeLessThan(withinMs);
}, 120_000);
