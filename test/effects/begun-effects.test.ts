import { expect, test } from "vitest";

import { Bank, charge, chargedBy } from "./shop.ts";
import { Stage } from "./stage.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `o${i}`);

test("what is wanted where it is performed begins with its request: nothing has to be taken", async () => {
  const stage = new Stage();
  const bank = new Bank();
  let taken = 0;
  const take = stage.ledger.take.bind(stage.ledger);
  stage.ledger.take = async (ask) => {
    const found = await take(ask);
    taken += found.length;
    return found;
  };
  stage.performs([charge.performedBy(chargedBy(bank))], { limits: { concurrencyMax: 2 } });
  await Promise.all(names(20).map((name) => stage.place(name)));
  await stage.until("all are charged", () => bank.charges.size === 20);
  await stage.until("all are done", async () => {
    return (await stage.ledger.list({ state: "done", limit: 100 })).length === 20;
  });
  expect(taken).toBe(0);
  expect(bank.asked).toBe(20);
});

test("of more than may be ahead the rest waits in the ledger, and is charged once too", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const limits = { concurrencyMax: 1, aheadMax: 3 };
  stage.performs([charge.performedBy(chargedBy(bank))], { limits });
  await Promise.all(names(20).map((name) => stage.place(name)));
  await stage.until("all are done", async () => {
    return (await stage.ledger.list({ state: "done", limit: 100 })).length === 20;
  });
  expect(bank.charges.size).toBe(20);
  expect(bank.asked).toBe(20);
});

test("a stop gives back what is ahead: it is due at once, and others charge it", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const hangs = charge.performedBy(() => new Promise<never>(() => undefined));
  const { runner } = stage.performs([hangs], { limits: { concurrencyMax: 1 } });
  await Promise.all(names(5).map((name) => stage.place(name)));
  let isOver = false;
  const stopped = runner.stop().then(() => (isOver = true));
  await stage.until("it has stopped", () => isOver, { withinMs: 6_000 });
  await stopped;
  const left = await stage.ledger.list({ state: "requested", limit: 10 });
  const nowMs = stage.clock.nowMs();
  expect(left.map(({ nextAt }) => nextAt.getTime() <= nowMs)).toEqual(Array(5).fill(true));
  await stage.place("later");
  expect(await stage.state("later")).toBe("requested");
  stage.performs([charge.performedBy(chargedBy(bank))], { decider: stage.newDecider() });
  await stage.until("all are charged", () => bank.charges.size === 6);
});

test("what has waited too long for a place is left to its lease", async () => {
  const stage = new Stage();
  const bank = new Bank();
  const free = Promise.withResolvers<void>();
  const performer = charge.performedBy(async (effect) => {
    if (effect.input.order === "o0") await free.promise;
    return chargedBy(bank)(effect);
  });
  const limits = { concurrencyMax: 1, tryTimeoutMs: 10_000, leaseMs: 12_000 };
  stage.performs([performer], { limits });
  for (const name of names(2)) await stage.place(name);
  stage.clock.advance(1_500);
  free.resolve();
  await stage.until("the first is done", async () => (await stage.state("o0")) === "done");
  expect(await stage.state("o1")).toBe("started");
  await stage.until("the other is done", async () => (await stage.state("o1")) === "done", {
    withinMs: 20_000,
  });
  expect((await stage.ledger.find("charge/o1"))?.attempts).toBe(2);
});
