import { expect, test } from "vitest";

import { Audience } from "../../api/updates/audience.ts";

const heard = (audience: Audience<string>, code: string): string[] =>
  [...audience.of(code)].flatMap(({ listeners }) => [...listeners]).toSorted();

test("an update reaches those who named its module and those who named none, each once", () => {
  const audience = new Audience<string>();
  audience.add("one", new Set(["A"]));
  audience.add("two", new Set(["A", "B"]));
  audience.add("all", undefined);
  expect(heard(audience, "A")).toEqual(["all", "one", "two"]);
  expect(heard(audience, "B")).toEqual(["all", "two"]);
  expect(heard(audience, "C")).toEqual(["all"]);
  expect([...audience].toSorted()).toEqual(["all", "one", "two"]);
});

test("those who follow the same modules are one group, in whatever order they name them", () => {
  const audience = new Audience<string>();
  audience.add("one", new Set(["A", "B"]));
  audience.add("two", new Set(["B", "A"]));
  audience.add("three", new Set(["A"]));
  const sizes = [...audience.of("A")].map(({ listeners }) => listeners.size);
  expect(sizes.toSorted((one, other) => one - other)).toEqual([1, 2]);
});

test("who has left hears nothing more, also when they leave while they are told", () => {
  const audience = new Audience<string>();
  const leave = audience.add("one", new Set(["A"]));
  audience.add("two", new Set(["A"]));
  const told: string[] = [];
  for (const { listeners } of audience.of("A")) {
    for (const listener of listeners) {
      told.push(listener);
      leave();
    }
  }
  expect(told).toEqual(["one", "two"]);
  expect(heard(audience, "A")).toEqual(["two"]);
  expect(audience.size).toBe(1);
});

test("nobody hears of a module when the last who named it has left, or all were sent away", () => {
  const audience = new Audience<string>();
  const leave = audience.add("one", new Set(["A"]));
  leave();
  expect(audience.has("A")).toBe(false);
  const late = audience.add("two", new Set(["A"]));
  audience.clear();
  late();
  expect(audience.has("A")).toBe(false);
  expect(audience.size).toBe(0);
});
