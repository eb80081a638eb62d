import { describe, expect, it } from "vitest";

import { cartCounts, cartsOf } from "../../benchmarks/_carts.ts";
import { measureStreamAppends, type StreamStore } from "../../benchmarks/_stream-appends.ts";
import { appendCarts } from "../../benchmarks/peers/emmett/carts.ts";
import { leftOutOf } from "../../benchmarks/peers/emmett/left-out.ts";
import type { EmmettEvent, EmmettStore } from "../../benchmarks/peers/emmett/library.ts";

const stored = (events: number) =>
  [...cartCounts(events)].map(([cartId, productItemsCount], at, all) => ({
    cartId,
    productItemsCount,
    applied: at < all.length - 1 ? 100 : events - 100 * at,
  }));

describe("carts", () => {
  it("have a hundred items of 2 kB each, the same whenever they are made", () => {
    const carts = [...cartsOf(250)];
    expect(carts.map(({ items }) => items.length)).toEqual([100, 100, 50]);
    expect(carts[0]?.items.every(({ productId }) => productId.length === 2_000)).toBe(true);
    expect([...cartsOf(250)]).toEqual(carts);
  });

  it("go to a stream each, ten a call at the version before, whoever of the writers appends", async () => {
    const calls: (readonly [string, number, bigint | string])[] = [];
    const append = (stream: string, events: readonly EmmettEvent[], expected: bigint | string) =>
      calls.push([stream, events.length, expected]);
    const store: Pick<EmmettStore, "appendToStream"> = {
      appendToStream: async (stream, events, { expectedStreamVersion }) => {
        append(stream, events, expectedStreamVersion);
        return { nextExpectedStreamVersion: 0n };
      },
    };
    await appendCarts(store, { events: 125, writers: 4 });
    const second = calls.filter(([stream]) => stream === "shopping_cart-1");
    expect(second).toEqual([
      ["shopping_cart-1", 10, "STREAM_DOES_NOT_EXIST"],
      ["shopping_cart-1", 10, 10n],
      ["shopping_cart-1", 5, 20n],
    ]);
    expect(calls.filter(([stream]) => stream === "shopping_cart-0")).toHaveLength(10);
  });
});

describe("what a peer's rebuild left out", () => {
  it("is nothing where every document has all its events", () => {
    expect(leftOutOf(stored(250), 250)).toEqual({ events: 0, rows: 0 });
  });

  it("is told in events and rows, missing rows included", () => {
    const [first, second] = stored(250);
    const short = { ...(first as never as { cartId: string }), productItemsCount: 1, applied: 90 };
    expect(leftOutOf([short], 250)).toEqual({ events: 160, rows: 3 });
    expect(leftOutOf([short, second as never], 250)).toEqual({ events: 60, rows: 2 });
  });

  it("is refused where a document has all its events and another count, or too many events", () => {
    const wrong = stored(100).map((one) => ({ ...one, productItemsCount: 1 }));
    expect(() => leftOutOf(wrong, 100)).toThrow("all events, and 1 wrong rows");
    const twice = stored(100).map((one) => ({ ...one, applied: 101 }));
    expect(() => leftOutOf(twice, 100)).toThrow("101 events in its documents, of 100");
  });
});

describe("a load of appends", () => {
  const store = (kept: (events: number) => number): StreamStore & { readonly calls: string[] } => {
    const calls: string[] = [];
    let events = 0;
    return {
      calls,
      append: async (stream, before, count) => {
        calls.push(`${stream.slice(stream.lastIndexOf("-") + 1)}:${before}`);
        events += kept(count);
      },
      stored: async () => events,
    };
  };

  it("gives each writer a stream of its own, and counts what is stored", async () => {
    const all = store((events) => events);
    await measureStreamAppends(all, { writers: 2, calls: 3, eventsOfCall: 100 });
    expect(all.calls.toSorted()).toEqual(["0:0", "0:1", "1:0", "1:1"]);
  });

  it("has no figure when the store has lost one", async () => {
    const lossy = store((events) => events - 1);
    await expect(
      measureStreamAppends(lossy, { writers: 1, calls: 2, eventsOfCall: 10 }),
    ).rejects.toThrow("18 events are stored instead of 20.");
  });
});
