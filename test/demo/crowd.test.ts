import { expect, test } from "vitest";

import { campusOf } from "../../bin/demo/crowd/campus.ts";
import type { HttpAnswer, HttpRequest } from "../../bin/demo/crowd/http-client.ts";
import { KeyedSender, type KeyedSenderOptions } from "../../bin/demo/crowd/keyed-sender.ts";
import { Latencies } from "../../bin/demo/crowd/latencies.ts";
import { scheduleOf, wishesOf } from "../../bin/demo/crowd/schedule.ts";
import { ManualClock, SeededRandom } from "../../engine/testing/index.ts";

const scheduled = (seed: number) => {
  const students = 2_000;
  const modules = campusOf(20, wishesOf(students));
  const random = new SeededRandom(seed);
  return { modules, wishes: scheduleOf({ students, modules, perSecond: 500, random }) };
};

test("a seed gives the same crowd again, and another seed another", () => {
  expect(scheduled(7).wishes).toEqual(scheduled(7).wishes);
  expect(scheduled(7).wishes).not.toEqual(scheduled(8).wishes);
});

test("arrivals come at the rate that is asked for, in order, and each under its own name", () => {
  const { wishes } = scheduled(1);
  const seconds = (wishes.at(-1)?.atMs ?? 0) / 1_000;
  expect(wishesOf(2_000) / seconds).toBeGreaterThan(450);
  expect(wishesOf(2_000) / seconds).toBeLessThan(550);
  expect(wishes.map(({ atMs }) => atMs)).toEqual(
    wishes.map(({ atMs }) => atMs).toSorted((one, other) => one - other),
  );
  expect(new Set(wishes.map(({ name }) => name)).size).toBe(wishes.length);
});

test("there are seats for about half of the wishes, and half of the modules have a fee", () => {
  const { modules } = scheduled(1);
  const seats = modules.reduce((sum, { capacity }) => sum + capacity, 0);
  expect(seats / wishesOf(2_000)).toBeGreaterThan(0.4);
  expect(seats / wishesOf(2_000)).toBeLessThan(0.6);
  expect(modules.filter(({ feeCents }) => feeCents > 0)).toHaveLength(10);
  expect(new Set(modules.map(({ code }) => code)).size).toBe(20);
});

test("percentiles are those of the nearest rank", () => {
  const latencies = new Latencies();
  for (const ms of [30, 10, 20, 40]) latencies.add(ms);
  expect([0, 25, 50, 51, 99, 100].map((percent) => latencies.percentile(percent))).toEqual([
    10, 10, 20, 30, 40, 40,
  ]);
  expect(new Latencies().percentile(99)).toBe(0);
});

const answerOf = (status: number, body: object, after?: string): HttpAnswer => ({
  status,
  text: JSON.stringify(body),
  header: (name) => (name === "retry-after" ? after : undefined),
});

function senderOn(
  answers: readonly (HttpAnswer | undefined)[],
  more: Partial<KeyedSenderOptions> = {},
) {
  const clock = new ManualClock();
  const keys: unknown[] = [];
  const left = [...answers];
  const client = {
    send: ({ headers }: HttpRequest) => {
      keys.push(headers?.["idempotency-key"]);
      return Promise.resolve(left.shift());
    },
  };
  const random = { next: () => 0.5, id: () => "" };
  const slept: number[] = [];
  const waits = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms: number) => {
      slept.push(ms);
      clock.advance(ms);
      return Promise.resolve();
    },
  };
  const options = { client, clock: waits, random, patienceMs: 60_000, ...more };
  return { keys, slept, sender: new KeyedSender(options) };
}

const command = { method: "POST", path: "/registrations", body: {} } as const;

test("a command is asked for under one key until it is settled, and waits as it is told", async () => {
  const { keys, slept, sender } = senderOn([
    undefined,
    answerOf(503, { code: "overloaded" }, "2"),
    answerOf(409, { code: "idempotency-key-in-progress" }),
    answerOf(201, { registrationId: "r" }),
  ]);
  expect(await sender.send(command, "k")).toEqual({ status: 201, body: { registrationId: "r" } });
  expect(keys).toEqual(['"k"', '"k"', '"k"', '"k"']);
  expect(slept).toEqual([50, 2_500, 200]);
  expect(sender.troubles).toEqual({ broken: 1, putOff: 1, failed: 0 });
});

test("each answer is told with when its own request was due, and whether it settles the command", async () => {
  const heard: unknown[] = [];
  const answers = [answerOf(503, {}, "3"), answerOf(201, {})];
  const { sender } = senderOn(answers, { onAnswer: (answer) => heard.push(answer) });
  await sender.send({ ...command, dueMs: -20 }, "k");
  expect(heard).toEqual([
    { command, kind: "put off", dueMs: -20 },
    { command, kind: "settled", dueMs: 3_500 },
  ]);
});

test("a command that is never answered is given up when the patience is over", async () => {
  const { keys, slept, sender } = senderOn([], { patienceMs: 1_000 });
  expect(await sender.send(command, "k")).toBeUndefined();
  expect(slept).toEqual([50, 100, 200, 400]);
  expect(keys).toHaveLength(5);
});

test("what came too slowly to be taken is sent again under its key", async () => {
  const { keys, sender } = senderOn([
    answerOf(408, { code: "request-timeout" }),
    answerOf(201, { registrationId: "r" }),
  ]);
  expect(await sender.send(command, "k")).toMatchObject({ status: 201 });
  expect(keys).toEqual(['"k"', '"k"']);
  expect(sender.troubles).toMatchObject({ putOff: 1, broken: 0, failed: 0 });
});
