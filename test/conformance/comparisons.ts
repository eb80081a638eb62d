import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { ViewedGeneration } from "../../engine/ports/comparisons.ts";
import { fill, type GenerationsSubject, twoGenerations } from "./generations-subject.ts";
import { laneAt, topic } from "./store-samples.ts";

export function comparisonsConformance(
  adapter: string,
  make: () => Promise<GenerationsSubject>,
): void {
  describe(`comparisons, ${adapter}`, () => {
    let subject: GenerationsSubject;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject[Symbol.asyncDispose]());
    viewing(() => subject);
  });
}

async function heldIn(view: ViewedGeneration | undefined) {
  const held: [string, unknown][] = [];
  for await (const page of view?.rows() ?? []) {
    for (const { key, row } of page) held.push([key, row["held"]]);
  }
  return held;
}

function viewing(subject: () => GenerationsSubject): void {
  test("generations are seen as they were when the view began, whatever is written meanwhile", async () => {
    const { store, comparisons } = subject();
    const { live, shadow } = await twoGenerations(subject());
    await fill(store, live, { held: { c: 3, a: 1, b: 2 }, upTo: 3 });
    await fill(store, shadow, { held: { a: 1, b: 5 }, upTo: 2 });
    const digests = [await store.digests(live), await store.digests(shadow)];
    await comparisons.within([live, shadow], async (views) => {
      await fill(store, live, { held: { a: 9, d: 9 }, upTo: 4 });
      await fill(store, shadow, { held: { a: 9 }, upTo: 4 });
      const [one, other] = views;
      expect(one?.standing).toHaveLength(4);
      expect(one?.standing[0]).toMatchObject({ topic, partition: 0, position: laneAt(3) });
      expect(other?.standing[0]).toMatchObject({ position: laneAt(2) });
      expect(views.map((view) => view.digests)).toEqual(digests);
      const rows = await Promise.all([heldIn(one), heldIn(other)]);
      expect(rows).toEqual([
        [
          ["a", 1],
          ["b", 2],
          ["c", 3],
        ],
        [
          ["a", 1],
          ["b", 5],
        ],
      ]);
      // Once more, and given up in the middle.
      for await (const page of one?.rows() ?? []) {
        expect(page[0]?.key).toBe("a");
        break;
      }
      expect(await heldIn(one)).toEqual(rows[0]);
    });
  });

  test("a view ends with its work, whether it gives a result or fails", async () => {
    const { comparisons } = subject();
    const { live } = await twoGenerations(subject());
    expect(await comparisons.within([live], async (views) => views.length)).toBe(1);
    const failing = comparisons.within([live], async () => {
      throw new RangeError("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(await comparisons.within([live, live], async (views) => views.length)).toBe(2);
  });

  test("a generation that isn't there can't be compared", async () => {
    const { comparisons } = subject();
    const { live } = await twoGenerations(subject());
    const asked = comparisons.within([live, { ...live, generation: 9 }], async () => 1);
    await expect(asked).rejects.toMatchObject({ code: "generation-unknown" });
  });
}
