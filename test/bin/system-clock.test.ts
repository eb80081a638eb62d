import { expect, test } from "vitest";

import { systemClock, SystemRandom } from "../../bin/system-clock.ts";

test("ids are distinct UUIDs of version 7 that begin with the time", () => {
  const random = new SystemRandom();
  const before = Date.now();
  const ids = Array.from({ length: 2_000 }, () => random.id());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  const time = Number.parseInt((ids[0] ?? "").replaceAll("-", "").slice(0, 12), 16);
  expect(time).toBeGreaterThanOrEqual(before);
  expect(time).toBeLessThanOrEqual(Date.now());
});

test("numbers lie in [0, 1) and differ", () => {
  const random = new SystemRandom();
  const numbers = Array.from({ length: 1_000 }, () => random.next());
  expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true);
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("a sleep ends at once when its signal aborts, without an error", async () => {
  const abort = new AbortController();
  const begun = systemClock.monotonicMs();
  const slept = systemClock.sleep(60_000, abort.signal);
  abort.abort();
  await slept;
  expect(systemClock.monotonicMs() - begun).toBeLessThan(5_000);
});
