import { expect, test } from "vitest";

import { effectCrashPoints } from "../../engine/crash-points.ts";
import { CrashSignal } from "../../engine/error-policy.ts";
import { InvariantViolation, RecordError, TransientError } from "../../engine/errors.ts";
import type { EffectOutcome } from "../../engine/effect.ts";
import { defineCommand } from "../../engine/decision/definition.ts";
import { Bank, charge, chargedBy, decline, recordCharge } from "./shop.ts";
import { crashingAt, Stage } from "./stage.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `o${at}`);

test("an effect that is wanted is performed at once, and its answer decided and kept", async () => {
  const stage = new Stage();
  const bank = new Bank();
  stage.performs([charge.performedBy(chargedBy(bank))]);
  await stage.quiet();
  await stage.place("a");
  await stage.quiet();
  expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
  const kept = await stage.ledger.find("charge/a");
  expect(kept).toMatchObject({ state: "done", attempts: 1, answer: { charge: "charge 1" } });
  expect(kept?.secret).toBeUndefined();
  expect(stage.metrics.values.get("effects_total charge done")).toBe(1);
});

test("what follows has the effect's cause: one correlation, caused by the event that wanted it", async () => {
  const stage = new Stage();
  stage.performs([charge.performedBy(chargedBy(new Bank()))]);
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  const events = [];
  for await (const page of stage.events.read({})) events.push(...page);
  expect(events.map(({ correlationId }) => correlationId)).toEqual(["a", "a"]);
  expect(events[1]?.causationId).toBe(events[0]?.id);
});

test("effects that other processes want are found without being told", async () => {
  const stage = new Stage();
  const bank = new Bank();
  stage.performs([charge.performedBy(chargedBy(bank))], { decider: stage.newDecider() });
  await stage.quiet();
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done", {
    withinMs: 1_000,
  });
});

test("the other side gets the card, the same key in every try, and which try it is", async () => {
  const stage = new Stage();
  const tries: unknown[] = [];
  const performer = charge.performedBy(async ({ key, attempt, input, secret }) => {
    tries.push({ key, attempt, input, secret });
    if (attempt < 3) throw new TransientError("busy", "The bank is busy.");
    return { answer: null, follows: { call: recordCharge({ order: "a", charge: "c" }) } };
  });
  stage.performs([performer]);
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  const one = { key: "charge/a", input: { order: "a", cents: 100 }, secret: "card" };
  expect(tries).toEqual([1, 2, 3].map((attempt) => ({ ...one, attempt })));
  expect(stage.metrics.values.get("effects_total charge postponed")).toBe(2);
});

test("an answer from which nothing follows settles the effect alone", async () => {
  const stage = new Stage();
  stage.performs([charge.performedBy(async () => ({ answer: "pending", follows: undefined }))]);
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  expect((await stage.ledger.find("charge/a"))?.answer).toBe("pending");
  expect(await stage.happened()).toEqual(["Ordered a"]);
});

test("an answer whose decision is refused settles the effect, and what follows is decided", async () => {
  const stage = new Stage();
  const performer = charge.performedBy(async ({ input }) => ({
    answer: "twice",
    follows: {
      call: recordCharge({ order: `${input.order} of yesterday`, charge: "c" }),
      refused: () => decline({ order: input.order }),
    },
  }));
  stage.performs([performer]);
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  expect(await stage.happened()).toEqual(["Ordered a", "Declined a"]);
});

test("one that never answers keeps one place, and is made again after its time", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const aborted: boolean[] = [];
  const performer = charge.performedBy((effect) => {
    if (effect.input.order !== "o0" || effect.attempt > 1) return chargedBy(bank)(effect);
    effect.signal.addEventListener("abort", () => aborted.push(true));
    return new Promise<never>(() => undefined);
  });
  stage.performs([performer], { limits: { concurrencyMax: 2, batchMax: 2 } });
  for (const name of names(20)) await stage.place(name);
  await stage.until("the others are done", async () => (await stage.happened()).length === 39, {
    withinMs: 1_000,
  });
  expect(await stage.state("o0")).toBe("started");
  await stage.until("its time is over", async () => (await stage.state("o0")) === "done");
  expect(aborted).toEqual([true]);
  expect(bank.charges.size).toBe(20);
});

test("a kind that hangs doesn't hold up another kind", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const hangs = { kind: "hangs", perform: () => new Promise<never>(() => undefined) };
  const wanted = { kind: "hangs", input: null, tags: [], correlationId: "x" };
  stage.ledger.request(names(5).map((key) => ({ ...wanted, key })));
  stage.performs([hangs, charge.performedBy(chargedBy(bank))], { limits: { concurrencyMax: 2 } });
  for (const name of names(10)) await stage.place(name);
  await stage.until("all are charged", () => bank.charges.size === 10, { withinMs: 1_000 });
});

test("an effect that can't work is given up, told, and tried again when an operator says so", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const failed: unknown[] = [];
  let closed = true;
  const performer = charge.performedBy((effect) => {
    if (closed) throw new RecordError("card-unreadable", "The card can't be read.");
    return chargedBy(bank)(effect);
  });
  const { runner } = stage.performs([performer], {
    onFailed: ({ key }, error) => void failed.push([key, error]),
  });
  await stage.place("a");
  await stage.until("it is told", () => failed.length > 0);
  expect(await stage.state("a")).toBe("failed");
  expect(failed).toEqual([["charge/a", "card-unreadable: The card can't be read."]]);
  await stage.until("health tells it", () => runner.reasons().length > 0);
  expect(runner.reasons()[0]).toMatch(/^1 charge given up/);
  expect(stage.metrics.values.get("effects_open charge failed")).toBe(1);
  closed = false;
  await stage.ledger.retry(["charge/a"]);
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  await stage.until("health is quiet", () => runner.reasons().length === 0);
  expect(stage.metrics.values.has("effects_open charge failed")).toBe(false);
});

test("tries are bounded; an operator's retry gives as many again", async () => {
  const stage = new Stage();
  let tries = 0;
  const performer = charge.performedBy(async () => {
    tries += 1;
    throw new TransientError("busy", "The bank is busy.");
  });
  stage.performs([performer], {
    limits: { backoff: { initialMs: 10, maxMs: 100, attemptsMax: 4 } },
  });
  await stage.place("a");
  await stage.until("it is given up", async () => (await stage.state("a")) === "failed");
  expect(tries).toBe(4);
  expect((await stage.ledger.find("charge/a"))?.error).toContain("Tried 4 times, last: busy");
  await stage.ledger.retry(["charge/a"]);
  await stage.until("it is given up again", async () => {
    return tries === 8 && (await stage.state("a")) === "failed";
  });
});

test("effects that wait for long are told", async () => {
  const stage = new Stage();
  const performer = charge.performedBy(async () => {
    throw new TransientError("busy", "The bank is busy.");
  });
  const { runner } = stage.performs([performer], { limits: { oldMs: 20_000 } });
  await stage.place("a");
  await stage.until("health tells it", () => runner.reasons().length > 0, { stepMs: 100 });
  expect(runner.reasons()[0]).toMatch(/^the oldest of 1 charge has waited for 2\d s$/);
  expect(stage.metrics.values.get("effect_oldest_seconds charge requested")).toBeGreaterThan(20);
});

test.each(effectCrashPoints)("a crash at %s loses nothing and charges once", async (point) => {
  const stage = new Stage();
  const bank = new Bank();
  const probe = crashingAt(point);
  const performer = charge.performedBy(chargedBy(bank));
  for (const name of names(5)) await stage.place(name);
  const first = stage.performs([performer], { probe });
  await expect(first.run).rejects.toBeInstanceOf(CrashSignal);
  expect(probe.crashed).toBe(true);
  stage.performs([performer], { decider: stage.newDecider() });
  await stage.until("all are done", async () => {
    return (await stage.ledger.list({ state: "done", limit: 10 })).length === 5;
  });
  expect(bank.charges.size).toBe(5);
  expect((await stage.happened()).filter((one) => one.startsWith("Charged"))).toHaveLength(5);
});

test("the answer is never kept without what follows from it, nor the other way round", async () => {
  const stage = new Stage();
  const seen: string[] = [];
  const bank = new Bank();
  stage.performs([charge.performedBy(chargedBy(bank))]);
  const append = stage.events.append.bind(stage.events);
  stage.events.append = async (request, options) => {
    const verdict = await append(request, options);
    const charged = (await stage.happened()).includes("Charged a");
    seen.push(`${charged} ${(await stage.state("a")) ?? "none"}`);
    return verdict;
  };
  await stage.place("a");
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  expect(seen).toEqual(["false started", "true done"]);
});

test("a try that outlives its lease overlaps with the next: the first answer counts, once", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const answers: ((outcome: EffectOutcome) => void)[] = [];
  const performer = charge.performedBy((effect) => {
    bank.charge(effect);
    return new Promise<EffectOutcome>((resolve) => answers.push(resolve));
  });
  const limits = { leaseMs: 2_000, tryTimeoutMs: 1_999 };
  // Their clock stands still for the first one: its try doesn't know that its time is over.
  stage.performs([performer], {
    limits: { ...limits, tryTimeoutMs: 1_000_000, leaseMs: 1_000_001 },
  });
  await stage.place("a");
  await stage.quiet();
  expect(answers).toHaveLength(1);
  await stage.ledger.postpone("charge/a", { afterMs: 0, error: "its lease is over" });
  stage.performs([performer], { limits, decider: stage.newDecider() });
  await stage.until("it is tried again", () => answers.length === 2, { withinMs: 5_000 });
  const call = recordCharge({ order: "a", charge: "charge 1" });
  for (const answer of answers.toReversed()) answer({ answer: "charge 1", follows: { call } });
  await stage.quiet();
  expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
  expect(bank.charges.size).toBe(1);
  expect(await stage.state("a")).toBe("done");
  expect(stage.metrics.values.get("effects_total charge done")).toBe(2);
});

test.each(["before", "after"] as const)(
  "an answer outlives an outage of the store that fails %s appends",
  async (when) => {
    const stage = new Stage();
    const bank = new Bank();
    stage.performs([charge.performedBy(chargedBy(bank))]);
    await stage.place("a");
    stage.events.out = when;
    await stage.until("the bank was asked", () => bank.asked === 1);
    await stage.until("time has passed", () => stage.clock.monotonicMs() > 3_000);
    stage.events.out = "no";
    await stage.until("it is done", async () => (await stage.state("a")) === "done", {
      withinMs: 10_000,
    });
    await stage.until("it is noticed", () => {
      return stage.metrics.values.get("effects_total charge done") === 1;
    });
    expect(bank.asked).toBe(1);
    expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
  },
);

test("an outage that outlasts the patience leaves the effect to its lease: asked again, charged once", async () => {
  const stage = new Stage();
  const bank = new Bank();
  stage.performs([charge.performedBy(chargedBy(bank))]);
  await stage.place("a");
  stage.events.out = "before";
  const outcome = "effects_total charge left";
  await stage.until("it is left", () => stage.metrics.values.get(outcome) === 1, { stepMs: 100 });
  stage.events.out = "no";
  await stage.until("it is done", async () => (await stage.state("a")) === "done", { stepMs: 100 });
  expect(bank.asked).toBe(2);
  expect(bank.charges.size).toBe(1);
  expect(await stage.happened()).toEqual(["Ordered a", "Charged a"]);
});

test("a ledger that can't be reached is told, and asked until it can", async () => {
  const stage = new Stage();
  const bank = new Bank();
  let away = true;
  const take = stage.ledger.take.bind(stage.ledger);
  stage.ledger.take = (ask) =>
    away ? Promise.reject(new TransientError("gone", "It is away.")) : take(ask);
  const decider = stage.newDecider();
  const { runner } = stage.performs([charge.performedBy(chargedBy(bank))], { decider });
  await stage.place("a");
  await stage.until("it is told", () => runner.reasons().length > 0);
  expect(runner.reasons()[0]).toContain("It is away.");
  expect(stage.metrics.values.get("effect_ledger_failures_total")).toBeGreaterThan(0);
  away = false;
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  expect(runner.reasons()).toEqual([]);
});

test("while an import holds the store, answers wait and are not lost", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const decider = stage.newDecider();
  let holds = true;
  const execute = decider.execute.bind(decider);
  decider.execute = (call, origin, more) =>
    holds ? Promise.resolve({ outcome: "held", by: "an import" }) : execute(call, origin, more);
  stage.performs([charge.performedBy(chargedBy(bank))], { decider });
  await stage.place("a");
  await stage.until("the bank was asked", () => bank.asked === 1);
  holds = false;
  await stage.until("it is done", async () => (await stage.state("a")) === "done");
  expect(bank.asked).toBe(1);
});

const failing = (error: Error) =>
  defineCommand({
    name: "failing",
    reads: () => ({}),
    decide: () => {
      throw error;
    },
  })(undefined);

test("an answer that can't be decided on gives the effect up, with why", async () => {
  const stage = new Stage();
  const error = new RecordError("encode", "No schema takes it.");
  stage.performs([
    charge.performedBy(async () => ({ answer: 1, follows: { call: failing(error) } })),
  ]);
  await stage.place("a");
  await stage.until("it is given up", async () => (await stage.state("a")) === "failed");
  expect((await stage.ledger.find("charge/a"))?.error).toContain("encode: No schema takes it.");
});

test("a broken invariant ends the runner: nothing more is performed", async () => {
  const stage = new Stage();
  const error = new InvariantViolation("Impossible.");
  let asked = 0;
  const performer = charge.performedBy(async () => {
    asked += 1;
    throw error;
  });
  const { run } = stage.performs([performer]);
  await stage.place("a");
  await expect(run).rejects.toBe(error);
  await stage.place("b");
  await stage.quiet();
  expect(asked).toBe(1);
});

test("a stop waits for tries under way, and takes nothing more", async () => {
  const stage = new Stage();
  let answer: (outcome: EffectOutcome) => void = () => undefined;
  const performer = charge.performedBy(
    () => new Promise<EffectOutcome>((resolve) => (answer = resolve)),
  );
  const { runner } = stage.performs([performer]);
  await stage.place("a");
  await stage.quiet();
  const stopped = runner.stop();
  await stage.place("b");
  await stage.quiet();
  answer({ answer: 1, follows: { call: recordCharge({ order: "a", charge: "c" }) } });
  await stopped;
  expect(await stage.state("a")).toBe("done");
  expect(await stage.state("b")).toBe("requested");
});

test("a stop doesn't wait for ever: what has no answer by then is due again at once", async () => {
  const stage = new Stage();
  const performer = charge.performedBy(() => new Promise<never>(() => undefined));
  const { runner } = stage.performs([performer]);
  await stage.place("a");
  await stage.quiet();
  let isOver = false;
  const stopped = runner.stop().then(() => (isOver = true));
  await stage.until("it has stopped", () => isOver, { withinMs: 6_000 });
  await stopped;
  expect(await stage.ledger.find("charge/a")).toMatchObject({
    state: "requested",
    nextAt: new Date(stage.clock.nowMs()),
  });
});

test("a thousand are performed, each once, while some fail now and then", async () => {
  const stage = new Stage();
  const bank = new Bank();
  let calls = 0;
  const performer = charge.performedBy((effect) => {
    calls += 1;
    if (calls % 7 === 0) throw new TransientError("busy", "The bank is busy.");
    return chargedBy(bank)(effect);
  });
  stage.performs([performer]);
  stage.performs([performer], { decider: stage.newDecider() });
  await Promise.all(names(1_000).map((name) => stage.place(name)));
  await stage.until("all are charged", () => bank.charges.size === 1_000);
  await stage.until("all are done", async () => {
    return (await stage.ledger.list({ state: "done", limit: 1_000 })).length === 1_000;
  });
  const happened = await stage.happened();
  expect(happened).toHaveLength(2_000);
  expect(new Set(happened).size).toBe(2_000);
});
