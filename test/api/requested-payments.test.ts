import { expect, test } from "vitest";

import { RequestedPayments } from "../../api/payments/requested.ts";
import { TransientError } from "../../engine/errors.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import type { ReadEvents, StoredEvent } from "../../engine/ports/event-store.ts";

/** Payments that a test asks for, and what was read of them. */
function stage(limits = { paymentWaitsMax: 10, waitForMs: 100 }) {
  const clock = new ManualClock();
  const requested = new Set<string>();
  const looks: (readonly string[])[] = [];
  const store = { isAway: false };
  const eventStore = {
    read: async function* ({ items = [] }: ReadEvents): AsyncGenerator<StoredEvent[]> {
      if (store.isAway) throw new TransientError("postgres", "The database is away.");
      const tags = items.flatMap((item) => item.tags ?? []);
      looks.push(tags);
      yield tags
        .filter((tag) => requested.has(tag))
        .map((tag) => ({ tags: [tag, "module:CS-101"] }) as unknown as StoredEvent);
    },
  };
  const payments = new RequestedPayments({ clock, eventStore, limits });
  const ask = (id: string) => `payment:${id}`;
  return { clock, looks, payments, store, requested, ask };
}

/** Lets what is due happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("cards of one turn are looked for together, and told when their payment is asked for", async () => {
  const { clock, looks, payments, requested, ask } = stage();
  requested.add(ask("a"));
  const told: string[] = [];
  const waits = ["a", "b", "c"].map((id) => payments.until(id).then(() => told.push(id)));
  await settle();
  expect(looks).toEqual([[ask("a"), ask("b"), ask("c")]]);
  expect(told).toEqual(["a"]);
  requested.add(ask("b")).add(ask("c"));
  clock.advance(10);
  await Promise.all(waits);
  expect(looks.slice(1)).toEqual([[ask("b"), ask("c")]]);
});

test("a payment that nobody asks for is looked for less and less often, and waits for its time alone", async () => {
  const { clock, looks, payments } = stage();
  const wait = payments.until("none");
  const lookedAt: number[] = [];
  for (let atMs = 0; atMs <= 150; atMs += 10) {
    const before = looks.length;
    await settle();
    if (looks.length > before) lookedAt.push(atMs);
    clock.advance(10);
  }
  await wait;
  expect(lookedAt).toEqual([0, 10, 30, 70, 100]);
});

test("beyond its bound nobody waits, and who waits for a store that is away is told", async () => {
  const { looks, payments, store } = stage({ paymentWaitsMax: 1, waitForMs: 100 });
  store.isAway = true;
  const first = payments.until("a");
  await payments.until("b");
  await expect(first).rejects.toThrow("The database is away.");
  store.isAway = false;
  const again = payments.until("c");
  await settle();
  expect(looks).toEqual([["payment:c"]]);
  void again;
});
