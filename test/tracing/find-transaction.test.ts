import { expect, test } from "vitest";

import { ManualClock } from "../../engine/memory/clock.ts";
import { MemoryEventStore } from "../../engine/memory/event-store.ts";
import {
  defaultTransactionLimits,
  findTransaction,
  type TransactionLimits,
} from "../../engine/tracing/find-transaction.ts";
import { command, event } from "../event-store/events.ts";

type Happened = readonly [correlationId: string, ...tags: string[]];

async function storeWith(happened: readonly Happened[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore({ clock: new ManualClock() });
  for (const [correlationId, ...tags] of happened) {
    await store.append({ events: [event("A", tags, { correlationId })], condition: [] }, command);
  }
  return store;
}

async function found(store: MemoryEventStore, id: string, limits: Partial<TransactionLimits> = {}) {
  const kinds = ["registration", "payment"];
  const all = { ...defaultTransactionLimits, ...limits };
  const transaction = await findTransaction(store, { id, kinds, limits: all });
  return (
    transaction && {
      ...transaction,
      events: transaction.events.map(({ position }) => Number(position)),
    }
  );
}

const registered: readonly Happened[] = [
  ["c1", "registration:r1", "student:s"],
  ["c2", "registration:r2", "student:s"],
  ["c1", "payment:p1", "registration:r1"],
  ["card", "payment:p1"],
  ["withdrawal", "registration:r1"],
];

test.each(["r1", "registration:r1", "p1", "c1", "card"])(
  "%s leads to everything of its transaction, and to nothing of another",
  async (id) => {
    const store = await storeWith(registered);
    expect(await found(store, id)).toMatchObject({ events: [1, 3, 4, 5], cut: false });
  },
);

test("what many transactions share leads nowhere", async () => {
  const store = await storeWith(registered);
  expect(await found(store, "s")).toBeUndefined();
});

test("a command that touched many is told with each, and doesn't tie them together", async () => {
  const store = await storeWith([
    ["c1", "registration:r1"],
    ["c2", "registration:r2"],
    ["withdrawn", "registration:r1"],
    ["withdrawn", "registration:r2"],
    ["later", "registration:r2"],
  ]);
  expect(await found(store, "r1")).toMatchObject({
    events: [1, 3, 4],
    tags: ["registration:r1"],
    correlationIds: ["c1", "withdrawn"],
  });
});

test.each([
  ["events", { eventsMax: 2 }, 2],
  ["objects", { tagsMax: 1 }, 4],
  ["correlation ids", { correlationsMax: 1 }, 4],
])("no more %s are followed than the limit allows, which is told", async (_, limits, events) => {
  const store = await storeWith(registered);
  const transaction = await found(store, "r1", limits);
  expect(transaction).toMatchObject({ cut: true });
  expect(transaction?.events.length).toBeLessThanOrEqual(events);
});
