import { once } from "node:events";

import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

import { CommandCounts } from "../../api/live/command-counts.ts";
import type { Gathered } from "../../api/live/sources.ts";
import { serverOfTest } from "../api/server.ts";

const gathered: Gathered = {
  capture: { state: "running", lagBytes: null },
  consumers: [],
  sagas: { payments: null },
  rebuilds: [],
  effects: [],
  deadLetters: 0,
};

/** A server whose live view is gathered as the test says, and how often it was. */
async function liveServer(gather: () => Promise<Gathered> = async () => gathered) {
  const looks = { times: 0 };
  const live = {
    commands: new CommandCounts(),
    status: async () => ({ running: true }),
    gather: () => {
      looks.times += 1;
      return gather();
    },
  };
  const { app } = await serverOfTest({ deps: { live } });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, url, looks, live };
}

/** The first events of a stream, by name, with their data. */
async function firstEvents(url: string, wanted: number) {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const response = await fetch(`${url}/live`, { signal: ending.signal });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n\n").length <= wanted) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  const frames = text.split("\n\n").slice(0, wanted);
  const events = frames.map((frame) => {
    const [, event, data = "null"] = /^event: (\S+)\ndata: (.*)$/s.exec(frame) ?? [];
    return { event, data: JSON.parse(data) as Record<string, unknown> };
  });
  return { events, leave: () => ending.abort() };
}

it("tells all who watch one frame, gathered once, and gathers nothing while nobody watches", async () => {
  const { url, looks } = await liveServer();
  expect(looks.times).toBe(0);
  const [one, other] = await Promise.all([firstEvents(url, 1), firstEvents(url, 1)]);
  expect(one.events[0]).toMatchObject({ event: "frame", data: gathered });
  expect(one.events[0]?.data["commands"]).toMatchObject({ acceptedPerSecond: null });
  expect(other.events).toEqual(one.events);
  expect(looks.times).toBe(1);
  one.leave();
  other.leave();
  await expect.poll(() => looks.times, { timeout: 3_000 }).toBeLessThanOrEqual(2);
});

it("tells trouble where nothing can be gathered, and goes on when it can", async () => {
  let isAway = true;
  const { url } = await liveServer(async () => {
    if (!isAway) return gathered;
    isAway = false;
    throw new Error("the store is away, at postgresql://user:secret@host");
  });
  const { events } = await firstEvents(url, 2);
  expect(events.map(({ event }) => event)).toEqual(["trouble", "frame"]);
  expect(JSON.stringify(events)).not.toContain("secret");
});

it("tells the same through a WebSocket, and closes it with 1001 when the server closes", async () => {
  const { app, url } = await liveServer();
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws/live`);
  const [message] = (await once(socket, "message")) as [Buffer];
  expect(JSON.parse(message.toString())).toMatchObject({ event: "frame", data: gathered });
  const closed = once(socket, "close");
  const closing = app.close();
  const [code, reason] = (await closed) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([1001, "draining: the server is closing"]);
  await closing;
});

it("answers with the status report, which no cache keeps", async () => {
  const { app } = await liveServer();
  const answer = await app.inject({ url: "/admin/status" });
  expect(answer.json()).toEqual({ running: true });
  expect(answer.headers["cache-control"]).toBe("no-store");
});
