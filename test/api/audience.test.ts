import { expect, test } from "vitest";

import { Audience } from "../../api/updates/audience.ts";

test("an update reaches those who named its module and those who named none, each once", () => {
  const audience = new Audience<string>();
  audience.add("one", new Set(["A"]));
  audience.add("two", new Set(["A", "B"]));
  audience.add("all", undefined);
  expect([...audience.of("A")].toSorted()).toEqual(["all", "one", "two"]);
  expect([...audience.of("B")].toSorted()).toEqual(["all", "two"]);
  expect([...audience.of("C")]).toEqual(["all"]);
  expect([...audience].toSorted()).toEqual(["all", "one", "two"]);
});

test("who has left hears nothing more, also when they leave while they are told", () => {
  const audience = new Audience<string>();
  const leave = audience.add("one", new Set(["A", "B"]));
  audience.add("two", new Set(["A"]));
  const heard: string[] = [];
  for (const listener of audience.of("A")) {
    heard.push(listener);
    leave();
  }
  expect(heard).toEqual(["one", "two"]);
  expect([...audience.of("B")]).toEqual([]);
  expect(audience.size).toBe(1);
});
