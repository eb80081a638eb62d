import { describe, expect, test } from "vitest";

import { offset } from "../../engine/position.ts";
import { Governor } from "../../engine/rebuild/governor.ts";
import { LiveLag } from "../../engine/rebuild/live-lag.ts";
import { FastClock } from "./fast-clock.ts";

const budgetMs = 2_000;
const { signal } = new AbortController();
const nobody = async (): Promise<void> => undefined;

/** A lag that is told, and looks that are counted. */
function governed(
  lagMs: (nowMs: number) => number,
  unmoved: (nowMs: number) => boolean = () => false,
) {
  const clock = new FastClock(0);
  const lag = {
    look: nobody,
    lagMs: (since = -Infinity) =>
      since > -Infinity && unmoved(clock.nowMs()) ? 0 : lagMs(clock.nowMs()),
  };
  const governor = new Governor({ lag, clock, budgetMs, pollMs: 200, patienceMs: 10_000 });
  return { clock, governor };
}

describe("the governor", () => {
  test("leaves the shadow alone below half of the budget", async () => {
    const { clock, governor } = governed(() => 900);
    for (let step = 0; step < 10; step += 1) await governor.pace(signal, nobody);
    expect(clock.nowMs()).toBe(0);
    expect(governor.throttledMs).toBe(0);
  });

  test("slows it down the more, the nearer the lag comes to its budget", async () => {
    const waited: number[] = [];
    for (const lagMs of [1_100, 1_500, 1_900]) {
      const { clock, governor } = governed(() => lagMs);
      await governor.pace(signal, nobody);
      await clock.sleep(30);
      await governor.pace(signal, nobody);
      waited.push(governor.throttledMs);
    }
    expect(waited).toEqual([...waited].sort((a, b) => a - b));
    expect(waited[0]).toBeLessThan(10);
    expect(waited[1]).toBeCloseTo(30, 0);
    expect(waited[2]).toBeGreaterThan(100);
  });

  test("lets it stand still above the budget until the lag is half of it, and measures that", async () => {
    const { clock, governor } = governed((nowMs) => 3_000 - nowMs);
    let told = 0;
    await governor.pace(signal, async () => void (told += 1));
    expect(clock.nowMs()).toBe(2_000);
    expect(governor.throttledMs).toBe(2_000);
    expect(governor.lagMaxMs).toBe(3_000);
    expect(told).toBe(10);
  });

  test("doesn't wait for ever for what stands still without it", async () => {
    const { clock, governor } = governed(
      (nowMs) => 5_000 + nowMs,
      () => true,
    );
    await governor.pace(signal, nobody);
    expect(clock.nowMs()).toBe(10_000);
    await governor.pace(signal, nobody);
    expect(clock.nowMs()).toBe(10_000);
  });

  test("ends its waiting with the signal", async () => {
    const { governor } = governed(() => 9_000);
    const ending = new AbortController();
    const waiting = governor.pace(ending.signal, async () => ending.abort());
    await waiting;
    expect(governor.throttledMs).toBe(200);
  });
});

describe("the lag of what serves", () => {
  test("is the wait of the oldest record that isn't applied, whatever the records' own times", async () => {
    const clock = new FastClock(1_000_000);
    let end = 0n;
    let next = 0n;
    const lag = new LiveLag({
      generation: { projection: "board", generation: 1, version: 1, serving: true },
      clock,
      readModels: {
        positions: async () => {
          const source = { kind: "offset" } as const;
          const position = { logId: "log", nextOffset: offset(next), source };
          return [{ topic: "counters", partition: 0, position }];
        },
      },
      log: {
        bounds: async () => [
          { partition: 0, start: offset(0), end: offset(end), lastTimestampMs: 5 },
        ],
      },
    });
    await lag.look();
    expect(lag.lagMs()).toBe(0);
    end = 10n;
    await clock.sleep(100);
    await lag.look();
    const firstSeen = lag.lagMs();
    await clock.sleep(400);
    await lag.look();
    expect(lag.lagMs() - firstSeen).toBe(400);
    const standsSince = clock.nowMs();
    await clock.sleep(1_000);
    await lag.look();
    expect(lag.lagMs(standsSince)).toBe(0);
    next = 10n;
    await lag.look();
    expect(lag.lagMs()).toBe(0);
    expect(lag.lagMs(standsSince)).toBe(0);
  });
});
