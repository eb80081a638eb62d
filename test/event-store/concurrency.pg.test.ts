import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { appendWithin } from "../../connectors/postgres/event-store/append-within.ts";
import { PostgresEventStore } from "../../connectors/postgres/event-store/event-store.ts";
import type { ConditionItem, StoredEvent } from "../../engine/ports/event-store.ts";
import { globalPosition } from "../../engine/position.ts";
import { all } from "../conformance/event-store.ts";
import { command, event, nothingAfter } from "./events.ts";
import { poolOfTest } from "./store.ts";

test("20 writers on unrelated tags never conflict", async () => {
  const pool = await poolOfTest(20);
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    const store = new PostgresEventStore({ pool });
    let after = 0n;
    for (let i = 0; i < 10; i += 1) {
      const condition = [nothingAfter(after, [`own:${writer}`])];
      const events = [event("A", [`own:${writer}`], { partition: writer % 3 })];
      const verdict = await store.append({ events, condition }, command);
      if (verdict.outcome !== "appended") return verdict.outcome;
      after = verdict.events[0]?.position ?? 0n;
    }
    return "appended";
  });
  expect(new Set(await Promise.all(writers))).toEqual(new Set(["appended"]));
});

test("a condition over several items misses nothing, whatever commits first", async () => {
  const pool = await poolOfTest(12);
  const stores = Array.from({ length: 6 }, () => new PostgresEventStore({ pool }));
  // Everyone adds to one of three accounts, and only while their sum is below 20.
  const accounts = ["account:x", "account:y", "account:z"];
  const add = async (store: PostgresEventStore, turn: number): Promise<void> => {
    for (;;) {
      const known = await all(store, { items: accounts.map((tag) => ({ tags: [tag] })) });
      if (known.length >= 20) return;
      const condition = accounts.map((tag): ConditionItem => {
        const last = known.findLast((stored) => stored.tags.includes(tag));
        return { tags: [tag], after: last?.position ?? globalPosition(0) };
      });
      const account = accounts[turn % 3] as string;
      const events = [event("Added", [account], { partition: turn % 3 })];
      await store.append({ events, condition }, command);
    }
  };
  await Promise.all(stores.map((store, turn) => add(store, turn)));
  expect(await all(stores[0] as PostgresEventStore)).toHaveLength(20);
});

test("a subscriber never sees a hole that fills later", async () => {
  const pool = await poolOfTest(12);
  const store = new PostgresEventStore({ pool });
  const stop = new AbortController();
  const seen: StoredEvent[] = [];
  const subscriber = (async () => {
    for await (const page of store.subscribe({}, stop.signal)) seen.push(...page);
  })();
  const writer = async (number: number): Promise<void> => {
    for (let i = 0; i < 12; i += 1) {
      const client = await pool.connect();
      await client.query("begin");
      // Lanes of their own, so that writers overlap instead of waiting for each other.
      const request = {
        events: [event("A", [`w:${number}`], { partition: number })],
        condition: [],
      };
      await appendWithin(client, [request], command);
      // A slow transaction, open while others commit higher positions.
      await delay((number * 7 + i * 5) % 23);
      await client.query((number + i) % 4 === 0 ? "rollback" : "commit");
      client.release();
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, number) => writer(number)));
  const committed = await all(store);
  await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(committed.length);
  stop.abort();
  await subscriber;
  // Each event once, in order of position: one that came late would be out of order or missing.
  expect(seen.map((one) => one.id)).toEqual(committed.map((one) => one.id));
  expect(committed).toHaveLength(54);
});

test("nothing is safe beyond an append that is still open", async () => {
  const pool = await poolOfTest();
  const store = new PostgresEventStore({ pool });
  const client = await pool.connect();
  await client.query("begin");
  const slow = { events: [event("A", ["slow:1"])], condition: [] };
  await appendWithin(client, [slow], command);
  await store.append({ events: [event("A", ["b:1"], { partition: 1 })], condition: [] }, command);
  expect(await store.safePosition()).toBe(0n);
  await client.query("rollback");
  client.release();
  expect(await store.safePosition()).toBe(2n);
});

test("random appends with overlapping tags never deadlock", async () => {
  const pool = await poolOfTest(10);
  const until = performance.now() + (process.env["REFOLD_SOAK"] === "1" ? 60_000 : 1_500);
  const stores = Array.from({ length: 4 }, () => new PostgresEventStore({ pool }));
  const pick = (max: number): number => Math.floor(Math.random() * max);
  let appended = 0;
  const tagsOf = (): string[] => [...new Set([0, 1, 2].map(() => `t:${pick(8)}`))];
  const writer = async (store: PostgresEventStore): Promise<void> => {
    while (performance.now() < until) {
      const events = [1, 2].map(() => event("A", tagsOf(), { partition: pick(5) }));
      // Now and then a condition without tags, which takes the whole store, or a locked decision.
      const condition = [nothingAfter(10_000_000, pick(10) === 0 ? [] : tagsOf())];
      const request = { events, condition };
      const verdict =
        pick(15) === 0
          ? await store.appendLocked(condition, () => request, command)
          : await store.append(request, command);
      if (verdict.outcome === "appended") appended += events.length;
    }
  };
  // Several of each store at once, so that calls hold several requests.
  await Promise.all(stores.flatMap((store) => [1, 2, 3].map(() => writer(store))));
  expect(appended).toBeGreaterThan(0);
  const { rows } = await pool.query<{ stored: bigint }>(
    "select count(*) as stored from refold.events",
  );
  expect(Number(rows[0]?.stored)).toBe(appended);
  const lanes = await stores[0]?.lanes("seats");
  const sequences = lanes?.map((lane) => Number(lane.lastSequence)) ?? [];
  expect(sequences.reduce((sum, last) => sum + last, 0)).toBe(appended);
}, 120_000);
