import { expect, test } from "vitest";

import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import { MemoryIdempotencyKeys } from "../../engine/memory/idempotency-keys.ts";
import { newDecider, newStore, open } from "./seats.ts";

const origin = { correlationId: "clients" };
const once = {
  scope: "POST /shows",
  key: "k",
  fingerprint: "f",
  answer: ({ outcome }: { readonly outcome: string }) => outcome,
};

test("of two calls under one key, decided at once, one is done and the other told so", async () => {
  const { codec } = newStore();
  const clock = new ManualClock();
  const idempotencyKeys = new MemoryIdempotencyKeys({ clock });
  const store = new MemoryEventStore({ clock, idempotencyKeys });
  const decider = newDecider(store, codec);
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
