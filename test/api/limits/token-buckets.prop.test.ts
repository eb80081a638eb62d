import { assert, array, integer, property, record } from "fast-check";
import { expect, test } from "vitest";

import { TokenBuckets } from "../../../api/limits/token-buckets.ts";
import { ManualClock } from "../../../engine/memory/clock.ts";

/** The plain bucket that the clever one must equal: tokens that are counted. */
class CountedBucket {
  #tokens: number;
  #atMs = 0;
  readonly #most: number;
  readonly #perMs: number;

  constructor(ratePerSecond: number, burst: number) {
    this.#tokens = burst;
    this.#most = burst;
    this.#perMs = ratePerSecond / 1_000;
  }

  take(nowMs: number): { readonly allowed: boolean; readonly left: number } {
    this.#tokens = Math.min(this.#most, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    // Sums of fractions miss whole numbers by a hair.
    const allowed = this.#tokens > 0.999;
    if (allowed) this.#tokens -= 1;
    return { allowed, left: Math.floor(this.#tokens + 0.001) };
  }
}

test("allow what a bucket of counted tokens allows, whenever requests come", () => {
  const times = array(integer({ min: 0, max: 3_000 }), { maxLength: 200 });
  const limits = record({
    ratePerSecond: integer({ min: 1, max: 50 }),
    burst: integer({ min: 1, max: 20 }),
  });
  assert(
    property(limits, times, ({ ratePerSecond, burst }, pauses) => {
      const clock = new ManualClock();
      const startMs = clock.monotonicMs();
      const buckets = new TokenBuckets({ ratePerSecond, burst, clientsMax: 2, clock });
      const counted = new CountedBucket(ratePerSecond, burst);
      for (const pauseMs of pauses) {
        clock.advance(pauseMs);
        const { allowed, left } = buckets.take("a");
        expect({ allowed, left }).toEqual(counted.take(clock.monotonicMs() - startMs));
      }
    }),
  );
});

test("a client that waits as long as it is told gets its token", () => {
  assert(
    property(
      integer({ min: 1, max: 999 }),
      integer({ min: 1, max: 50 }),
      (ratePerSecond, burst) => {
        const clock = new ManualClock();
        const buckets = new TokenBuckets({ ratePerSecond, burst, clientsMax: 1, clock });
        for (let taken = 0; taken < burst; taken += 1) {
          expect(buckets.take("a").allowed).toBe(true);
        }
        const { allowed, nextInMs } = buckets.take("a");
        expect(allowed).toBe(false);
        clock.advance(Math.ceil(nextInMs));
        expect(buckets.take("a").allowed).toBe(true);
      },
    ),
  );
});

test("no more clients are remembered than may be, and the one heard of last stays", () => {
  const clock = new ManualClock();
  const buckets = new TokenBuckets({ ratePerSecond: 1, burst: 1, clientsMax: 2, clock });
  expect(buckets.take("a").allowed).toBe(true);
  expect(buckets.take("b").allowed).toBe(true);
  expect(buckets.take("a").allowed).toBe(false);
  expect(buckets.take("c").allowed).toBe(true);
  expect(buckets.clients).toBe(2);
  expect(buckets.take("a").allowed).toBe(false);
});
