import { expect, it } from "vitest";

import { stepsTo } from "../../benchmarks/_steps.ts";

it("measures the steps below the most that is asked for, and the most itself", () => {
  expect(stepsTo(4, [1, 2])).toEqual([1, 2, 4]);
  expect(stepsTo(2, [1, 2])).toEqual([1, 2]);
  expect(stepsTo(1, [1, 2])).toEqual([1]);
  expect(stepsTo(10_000_000, [10_000, 100_000])).toEqual([10_000, 100_000, 10_000_000]);
});
