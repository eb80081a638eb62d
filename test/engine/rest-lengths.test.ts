import { expect, test } from "vitest";

import { defaultTaskLimits } from "../../engine/task/limits.ts";
import { restMs } from "../../engine/task/rests.ts";

const limits = { restMaxMs: 100, busyRestMaxMs: 250 };

test.for([
  { busy: 0, tookMs: 10, rests: 30 },
  { busy: 0.94, tookMs: 10, rests: 30 },
  { busy: 0.94, tookMs: 40, rests: 100 },
  { busy: 0.95, tookMs: 10, rests: 80 },
  { busy: 1, tookMs: 40, rests: 250 },
  { busy: 1, tookMs: 0, rests: 0 },
])("a process busy for $busy rests $rests ms after $tookMs ms", ({ busy, tookMs, rests }) => {
  expect(restMs(tookMs, busy, limits)).toBe(rests);
});

test("by default a busy process rests longer", () => {
  expect(defaultTaskLimits).toMatchObject(limits);
});
