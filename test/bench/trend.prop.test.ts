import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryCurve } from "../../benchmarks/_memory-curve.ts";
import { trendOf } from "../../benchmarks/_trend.ts";

const lineOf = (count: number, slope: number) =>
  Array.from({ length: count }, (_, at) => ({ at, value: 100 + slope * at }));

describe("a trend", () => {
  it("is the slope of a line, whatever a fifth of the points is", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 4 }),
        (slope, strange) => {
          const points = lineOf(24, slope);
          for (const [index, value] of strange.entries())
            points[index * 6] = { at: index * 6, value };
          expect(trendOf(points).slope).toBeCloseTo(slope, 6);
        },
      ),
    );
  });

  it("lies within its interval, which is infinite for a few points", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 3, maxLength: 30 }),
        (values) => {
          const { slope, low, high } = trendOf(values.map((value, at) => ({ at, value })));
          expect(low).toBeLessThanOrEqual(slope);
          expect(high).toBeGreaterThanOrEqual(slope);
        },
      ),
    );
    expect(trendOf(lineOf(3, 1))).toEqual({ slope: 1, low: -Infinity, high: Infinity });
    expect(() => trendOf([{ at: 1, value: 1 }])).toThrow(RangeError);
  });
});

const mebibyte = 1_048_576;

/** Eight minutes of a heap that is collected every 20 s, and keeps so much a minute. */
function heapThatKeeps(mebibytesPerMinute: number): MemoryCurve {
  const curve = new MemoryCurve();
  for (let second = 0; second < 480; second += 1) {
    const garbage = (second % 20) * 5 + ((second * 7919) % 13);
    const bytes = (100 + garbage + (mebibytesPerMinute * second) / 60) * mebibyte;
    curve.take({
      atMs: second * 1_000,
      rssBytes: bytes,
      heapUsedBytes: bytes,
      externalBytes: 0,
      handles: 10,
    });
  }
  return curve;
}

describe("a curve of memory", () => {
  it("tells what is kept from what waits for its collection", () => {
    expect(heapThatKeeps(0).trend("heap in use", 0)?.low).toBeLessThan(1);
    expect(heapThatKeeps(3).trend("heap in use", 0)?.low).toBeGreaterThan(1);
    expect(heapThatKeeps(3).trend("handles", 0)).toEqual({ slope: 0, low: 0, high: 0 });
  });

  it("has no trend of a few samples", () => {
    expect(heapThatKeeps(3).trend("heap in use", 470_000)).toBeUndefined();
  });
});
