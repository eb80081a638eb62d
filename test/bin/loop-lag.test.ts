import { setImmediate as turn } from "node:timers/promises";

import { expect, test } from "vitest";

import { LoopLag } from "../../bin/system/loop-lag.ts";

function blockFor(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

test("a request that a free event loop comes to has not waited", () => {
  expect(new LoopLag().ms()).toBe(0);
});

test("what the next turn comes to may have waited since this one took in the last", async () => {
  const lag = new LoopLag();
  lag.ms();
  await turn();
  blockFor(30);
  expect(lag.ms()).toBeGreaterThanOrEqual(30);
});

test("after a turn without requests nothing is known, and so nothing told", async () => {
  const lag = new LoopLag();
  lag.ms();
  await turn();
  await turn();
  blockFor(30);
  expect(lag.ms()).toBe(0);
});
