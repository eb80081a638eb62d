import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { LoopLoad } from "../../bin/loop-load.ts";

const windowMs = 260;

/** Keeps the event loop from everything else. */
function work(ms: number): void {
  const endsMs = performance.now() + ms;
  while (performance.now() < endsMs);
}

test("an event loop that only waits isn't busy, and one that works is", async () => {
  const load = new LoopLoad();
  expect(load.busy()).toBe(0);
  await sleep(windowMs);
  const waiting = load.busy();
  work(windowMs);
  // The loop counts its time when it comes around.
  await sleep(1);
  const working = load.busy();
  expect(waiting).toBeLessThan(0.6);
  expect(working).toBeGreaterThan(0.7);
  expect(load.busy()).toBe(working);
});
