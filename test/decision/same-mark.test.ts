import { expect, test } from "vitest";

import type { CallOnce } from "../../engine/decision/group.ts";
import type { CommandDecision } from "../../engine/decision/outcome.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { all } from "../conformance/event-store.ts";
import { buy, giveBack, newDecider, newStore, open } from "./seats.ts";

const origin = { correlationId: "clients" };
const once: CallOnce = {
  scope: "POST /shows",
  key: "k",
  fingerprint: "f",
  answer: ({ outcome }) => outcome,
};

/** A decider whose store keeps answers. */
function keeping() {
  const { codec } = newStore();
  const clock = new ManualClock();
  const idempotencyKeys = new MemoryIdempotencyKeys({ clock });
  const store = new MemoryEventStore({ clock, idempotencyKeys });
  return { store, idempotencyKeys, decider: newDecider(store, codec) };
}

test("of two calls under one key, decided at once, one is done and the other told so", async () => {
  const { decider } = keeping();
  const results = await Promise.all(
    ["a", "b"].map((show) => decider.execute(open({ show, seats: 2 }), origin, { once })),
  );
  expect(results.map(({ outcome }) => outcome)).toEqual(["accepted", "repeated"]);
  expect(results[1]).toMatchObject({ kept: { scope: once.scope, key: "k" } });
  const again = await decider.execute(open({ show: "c", seats: 2 }), origin, { once });
  expect(again).toMatchObject({
    outcome: "repeated",
    kept: { state: "answered", answer: "accepted" },
  });
});

test("an answer is about the events of its call and of what follows it, and of no other call", async () => {
  const { decider, idempotencyKeys } = keeping();
  const told: CommandDecision[] = [];
  const buying: CallOnce = { ...once, answer: (decision) => void told.push(decision) };
  const accepted = ({ ticket }: { readonly ticket: string }) => giveBack({ ticket });
  // Its ticket is the same in every attempt.
  const seeded = { ...origin, seed: "buying" };
  // All three hang together through the show: they are one request.
  const [, bought] = await Promise.all([
    decider.execute(open({ show: "a", seats: 2 }), origin),
    decider.execute(buy({ show: "a", person: "p" }), seeded, { once: buying, accepted }),
    decider.execute(buy({ show: "a", person: "q" }), origin),
  ]);
  const recorded = bought.outcome === "accepted" ? bought.recorded : [];
  expect(recorded.map(({ fact }) => fact.type.name)).toEqual(["Sold", "Returned"]);
  const facts = recorded.map(({ fact }) => fact);
  expect(told.at(-1)).toMatchObject({ outcome: "accepted", facts });
  const kept = await idempotencyKeys.find(once);
  expect(kept).toMatchObject({ events: recorded.map(({ at }) => at) });
});

test("a refusal is kept about no event", async () => {
  const { decider, idempotencyKeys } = keeping();
  const result = await decider.execute(buy({ show: "none", person: "p" }), origin, { once });
  expect(result.outcome).toBe("refused");
  expect(await idempotencyKeys.find(once)).toMatchObject({ answer: "refused", events: [] });
});

test("a call whose answer JSON can't hold fails, records nothing, and leaves its key free", async () => {
  const { store, decider } = keeping();
  const call = open({ show: "a", seats: 2 });
  const inBigints: CallOnce = { ...once, answer: () => ({ seats: 2n }) };
  await expect(decider.execute(call, origin, { once: inBigints })).rejects.toThrow(/no JSON value/);
  expect(await all(store)).toEqual([]);
  expect(await decider.execute(call, origin, { once })).toMatchObject({ outcome: "accepted" });
});
