import { expect, test } from "vitest";

import { deadlineCrashPoints } from "../../engine/crash-points.ts";
import { defineDeadline } from "../../engine/deadline.ts";
import { accept, defineCommand } from "../../engine/decision/definition.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { InvariantViolation, RecordError, TransientError } from "../../engine/errors.ts";
import type { MemoryDeadlines } from "../../engine/memory/deadlines.ts";
import { orderDue, recordCharge } from "./shop.ts";
import { crashingAt, Stage } from "./stage.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `o${at}`);

const waiting = async (deadlines: MemoryDeadlines): Promise<number> =>
  (await deadlines.due({ names: ["order-due"], nowMs: Infinity, limit: 10_000 })).length;

test("a deadline that passes becomes an event, at its time and with its cause", async () => {
  const stage = new Stage();
  stage.waits();
  await stage.place("a", { dueMs: 5_000 });
  const [deadline] = await stage.deadlines.tagged("order:a", 1);
  await stage.until("it has passed", async () => (await stage.happened()).length === 2);
  expect(await stage.happened()).toEqual(["Ordered a", "Expired a"]);
  const events = [];
  for await (const page of stage.events.read({})) events.push(...page);
  expect(events[1]?.recordedAtMs).toBeGreaterThanOrEqual(deadline?.atMs ?? Infinity);
  expect(events[1]?.recordedAtMs).toBeLessThan((deadline?.atMs ?? 0) + 50);
  expect(events[1]).toMatchObject({ correlationId: "a", causationId: events[0]?.id });
  await stage.until("it is forgotten", async () => (await waiting(stage.deadlines)) === 0);
  expect(stage.metrics.values.get("deadlines_passed_total order-due")).toBe(1);
});

test("one that is set earlier than all that are known is waited for at once", async () => {
  const stage = new Stage();
  const limits = { pollMs: 1_000_000 };
  stage.waits({ limits });
  await stage.place("late", { dueMs: 900_000 });
  await stage.quiet();
  await stage.place("early", { dueMs: 1_000 });
  await stage.until("the early one has passed", async () => (await stage.happened()).length === 3, {
    withinMs: 2_000,
  });
  expect((await stage.happened()).at(-1)).toBe("Expired early");
});

test("one that is set while the store is asked for the next isn't overlooked", async () => {
  const stage = new Stage();
  const ask = stage.deadlines.nextAtMs.bind(stage.deadlines);
  stage.deadlines.nextAtMs = async (of) => {
    const answer = await ask(of);
    const first = (await stage.happened()).includes("Expired first");
    if (first) await stage.place("second", { dueMs: 500 });
    return answer;
  };
  stage.waits({ limits: { pollMs: 1_000_000 } });
  await stage.place("first", { dueMs: 1_000 });
  await stage.until("both have passed", async () => (await stage.happened()).length === 4, {
    withinMs: 5_000,
  });
});

test("deadlines that other processes set are found without being told", async () => {
  const stage = new Stage();
  stage.waits({ decider: stage.newDecider() });
  await stage.quiet();
  await stage.place("a", { dueMs: 10 });
  await stage.until("it has passed", async () => (await stage.happened()).length === 2, {
    withinMs: 1_000,
  });
});

test("one that was cancelled by an outcome doesn't pass", async () => {
  const stage = new Stage();
  stage.waits();
  await stage.place("a", { dueMs: 1_000 });
  await stage.decider.execute(recordCharge({ order: "a", charge: "c" }), { correlationId: "a" });
  expect(await waiting(stage.deadlines)).toBe(0);
  stage.clock.advance(5_000);
  await stage.quiet();
  expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
});

test("an outcome that comes while the deadline passes wins, or loses, whole", async () => {
  const stage = new Stage();
  await stage.place("a", { dueMs: 1_000 });
  const due = stage.deadlines.due.bind(stage.deadlines);
  stage.deadlines.due = async (ask) => {
    const found = await due(ask);
    const origin = { correlationId: "a" };
    await stage.newDecider().execute(recordCharge({ order: "a", charge: "c" }), origin);
    return found;
  };
  stage.waits();
  stage.clock.advance(2_000);
  await stage.until("it is settled", () => {
    return stage.metrics.values.get("deadlines_passed_total order-due") === 1;
  });
  expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
});

test("a thousand that are due at once pass in the order of their times, batch by batch", async () => {
  const stage = new Stage();
  const count = 1_000;
  const order = names(count).map((name, at) => ({ name, dueMs: 1_000 + ((at * 7_919) % count) }));
  await Promise.all(order.map(({ name, dueMs }) => stage.place(name, { dueMs })));
  stage.clock.advance(10_000);
  stage.waits({ limits: { batchMax: 300 } });
  await stage.until("all have passed", async () => (await waiting(stage.deadlines)) === 0);
  const passed = (await stage.happened()).filter((one) => one.startsWith("Expired"));
  const sorted = order.toSorted((a, b) => a.dueMs - b.dueMs);
  expect(passed).toEqual(sorted.map(({ name }) => `Expired ${name}`));
});

test.each(deadlineCrashPoints)("a crash at %s: each passes once", async (point) => {
  const stage = new Stage();
  for (const name of names(5)) await stage.place(name, { dueMs: 1_000 });
  stage.clock.advance(1_000);
  const probe = crashingAt(point);
  await expect(stage.waits({ probe }).run).rejects.toBeInstanceOf(CrashSignal);
  stage.waits({ decider: stage.newDecider() });
  await stage.until("all are forgotten", async () => (await waiting(stage.deadlines)) === 0);
  expect((await stage.happened()).filter((one) => one.startsWith("Expired"))).toHaveLength(5);
});

test("two processes that wait for the same deadlines make each pass once", async () => {
  const stage = new Stage();
  for (const name of names(100)) await stage.place(name, { dueMs: 1_000 });
  stage.waits();
  stage.waits({ decider: stage.newDecider() });
  await stage.until("all are forgotten", async () => (await waiting(stage.deadlines)) === 0);
  await stage.quiet();
  expect((await stage.happened()).filter((one) => one.startsWith("Expired"))).toHaveLength(100);
});

test("an outage of the store is told and waited out", async () => {
  const stage = new Stage();
  const { desk } = stage.waits();
  await stage.place("a", { dueMs: 1_000 });
  stage.events.out = "before";
  await stage.until("it is told", () => desk.reasons().length > 0);
  expect(desk.reasons()[0]).toContain("gone: The store is away.");
  stage.events.out = "no";
  await stage.until("it has passed", async () => (await waiting(stage.deadlines)) === 0);
  expect(desk.reasons()).toEqual([]);
  expect(await stage.happened()).toEqual(["Ordered a", "Expired a"]);
});

test("one that can't be forgotten now is decided again, to no effect", async () => {
  const stage = new Stage();
  const settle = stage.deadlines.settle.bind(stage.deadlines);
  let failures = 2;
  stage.deadlines.settle = (passed) => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new TransientError("gone", "Away.")) : settle(passed);
  };
  stage.waits();
  await stage.place("a", { dueMs: 1_000 });
  await stage.until("it is forgotten", async () => (await waiting(stage.deadlines)) === 0);
  expect(await stage.happened()).toEqual(["Ordered a", "Expired a"]);
});

const fragile = (failure: () => Error | undefined) =>
  defineDeadline({
    name: "fragile",
    tags: () => [],
    passed: () =>
      defineCommand({
        name: "fragile",
        reads: () => ({}),
        decide: () => {
          const error = failure();
          if (error) throw error;
          return accept([], undefined);
        },
      })(undefined),
  });

test("one whose decision fails is told and tried again, and the others pass meanwhile", async () => {
  const stage = new Stage();
  let broken = true;
  const type = fragile(() => (broken ? new RecordError("odd", "It can't be read.") : undefined));
  const at = { atMs: stage.clock.nowMs(), tags: [], correlationId: "x" };
  stage.deadlines.change([{ change: "set", name: "fragile", key: "f", ...at }]);
  const { desk } = stage.waits({ types: [type, orderDue], limits: { batchMax: 1 } });
  await stage.place("a", { dueMs: 1_000 });
  await stage.until("the other has passed", async () => (await stage.happened()).length === 2);
  expect(desk.reasons()[0]).toMatch(/^the deadline fragile\/f at \d+ can't be decided/);
  expect(stage.metrics.values.get("deadline_failures_total")).toBeGreaterThan(1);
  broken = false;
  await stage.until("it has passed", () => desk.reasons().length === 0);
  expect(stage.metrics.values.get("deadlines_passed_total fragile")).toBe(1);
});

test("a broken invariant ends the desk", async () => {
  const stage = new Stage();
  const error = new InvariantViolation("Impossible.");
  const at = { atMs: stage.clock.nowMs(), tags: [], correlationId: "x" };
  stage.deadlines.change([{ change: "set", name: "fragile", key: "f", ...at }]);
  await expect(stage.waits({ types: [fragile(() => error)] }).run).rejects.toBe(error);
});

test("a store whose clock was set back loses no deadline: it passes when its time has come", async () => {
  const stage = new Stage();
  await stage.place("a", { dueMs: 1_000 });
  const back = 60_000;
  const told = stage.clock.nowMs() + 2_000;
  let answers = 0;
  const eventStore = {
    nowMs: () => Promise.resolve((answers += 1) === 1 ? told : stage.clock.nowMs() - back),
  };
  stage.waits({ eventStore });
  await stage.until("it was too early", () => answers > 1, { withinMs: 5_000 });
  expect(await stage.happened()).toEqual(["Ordered a"]);
  expect(await waiting(stage.deadlines)).toBe(1);
  await stage.until("it has passed", async () => (await waiting(stage.deadlines)) === 0);
  expect(await stage.happened()).toEqual(["Ordered a", "Expired a"]);
});

test("while an import holds the store, deadlines wait and are not lost", async () => {
  const stage = new Stage();
  const decider = stage.newDecider();
  let holds = true;
  const execute = decider.execute.bind(decider);
  decider.execute = (call, origin, more) =>
    holds ? Promise.resolve({ outcome: "held", by: "an import" }) : execute(call, origin, more);
  stage.waits({ decider });
  await stage.place("a", { dueMs: 1_000 });
  stage.clock.advance(5_000);
  await stage.quiet();
  expect(await waiting(stage.deadlines)).toBe(1);
  holds = false;
  await stage.until("it has passed", async () => (await waiting(stage.deadlines)) === 0);
});

test("one that is set anew by its own decision is waited for again", async () => {
  const stage = new Stage();
  const again = defineDeadline({
    name: "again",
    tags: () => [],
    passed: ({ key, atMs }) =>
      defineCommand({
        name: "again",
        reads: () => ({}),
        decide: () => accept([], undefined, { deadlines: [again.at(key, atMs + 1_000)] }),
      })(undefined),
  });
  const at = { atMs: stage.clock.nowMs(), tags: [], correlationId: "x" };
  stage.deadlines.change([{ change: "set", name: "again", key: "k", ...at }]);
  stage.waits({ types: [again] });
  const passed = (): number => stage.metrics.values.get("deadlines_passed_total again") ?? 0;
  await stage.until("it has passed thrice", () => passed() === 3, { withinMs: 5_000 });
});
