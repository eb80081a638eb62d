import { expect, test } from "vitest";

import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { ModelCache } from "../../engine/decision/model-cache.ts";
import { shows } from "./seats.ts";

const model = (name: string) =>
  defineDecisionModel({
    name,
    tag: "show",
    topic: shows,
    initial: 0,
    on: { Opened: (count: number) => count + 1 },
  });

const [doors, stalls] = [model("doors"), model("stalls")];

test("keeps at most its maximum, and what is used again and again for ever", () => {
  const cache = new ModelCache({ modelsMax: 10 });
  const lasting = cache.entry(doors.of("lasting"));
  for (let round = 0; round < 50; round += 1) {
    for (let i = 0; i < 3; i += 1) cache.entry(stalls.of(`${round}-${i}`));
    expect(cache.entry(doors.of("lasting"))).toBe(lasting);
    cache.trim();
    expect(cache.size).toBeLessThanOrEqual(10);
  }
  expect([...cache.ofTag("show:lasting")]).toEqual([lasting]);
});

test("a round of more than its maximum finds all that it has read, and drops them afterwards", () => {
  const cache = new ModelCache({ modelsMax: 10 });
  const ids = Array.from({ length: 40 }, (_, i) => `${i}`);
  const read = ids.map((id) => cache.entry(doors.of(id)));
  expect(ids.map((id) => cache.entry(doors.of(id)))).toEqual(read);
  cache.trim();
  expect(cache.size).toBe(10);
  const kept = ids.filter((id) => [...cache.ofTag(`show:${id}`)].length > 0);
  expect(kept).toHaveLength(10);
});

test("models of one tag are told apart by their names", () => {
  const cache = new ModelCache({ modelsMax: 10 });
  const both = [cache.entry(doors.of("x")), cache.entry(stalls.of("x"))];
  expect(both[0]).not.toBe(both[1]);
  expect([...cache.ofTag("show:x")]).toEqual(both);
});

test("an id that was made just now is known without a look at the store, in models asked for before", () => {
  const cache = new ModelCache();
  for (const of of [doors, stalls]) cache.entry(of.of("old"));
  const begun = cache.begin("show:new", "new");
  expect(begun.map((entry) => [entry.model.name, entry.stale])).toEqual([
    ["doors", false],
    ["stalls", false],
  ]);
  expect(cache.entry(doors.of("new"))).toBe(begun[0]);
  expect(cache.begin("show:old", "old"), "somebody has asked for it").toEqual([]);
  expect(cache.begin("unheard-of:new", "new")).toEqual([]);
});
