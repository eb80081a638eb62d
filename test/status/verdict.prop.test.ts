import * as fc from "fast-check";
import { expect, test } from "vitest";

import { evaluate, type Look, stalledAfterMs } from "../../bin/status/verdict.ts";

/** What happens between two looks at a partition. */
interface Step {
  readonly ms: number;
  readonly arrived: number;
  /** As many as there are, at most. */
  readonly applied: number;
}

const step = fc.record({
  ms: fc.integer({ min: 100, max: 5_000 }),
  arrived: fc.nat({ max: 500 }),
  applied: fc.nat({ max: 500 }),
});
const steps = fc.array(step, { maxLength: 9 });
const startingLag = fc.nat({ max: 1_000 });

function looksOf(
  lag: number,
  history: readonly Step[],
  worker: Look["worker"] = "working",
): Look[] {
  let look: Look = { atMs: 1_000, position: 50n, end: 50n + BigInt(lag), worker };
  const looks = [look];
  for (const { ms, arrived, applied } of history) {
    const end = look.end + BigInt(arrived);
    const wished = look.position + BigInt(applied);
    look = { ...look, atMs: look.atMs + ms, end, position: wished < end ? wished : end };
    looks.push(look);
  }
  return looks;
}

const lags = (looks: readonly Look[]): number[] =>
  looks.map(({ position, end }) => Number(end - position));

test("who was at the end anywhere in the window is ok, however far behind he is now", () => {
  fc.assert(
    fc.property(startingLag, steps, (lag, history) => {
      const looks = looksOf(lag, history);
      const wasCurrent = lags(looks).includes(0);
      expect(evaluate(looks).verdict === "ok").toBe(wasCurrent);
    }),
  );
});

test("one step forward keeps a partition from being stalled; none, for long enough, makes it so", () => {
  fc.assert(
    fc.property(startingLag, steps, (lag, history) => {
      const standing = looksOf(
        lag + 1,
        history.map((one) => ({ ...one, applied: 0 })),
      );
      const spanMs = history.reduce((sum, { ms }) => sum + ms, 0);
      const expected = spanMs >= stalledAfterMs ? "stalled" : undefined;
      expect(evaluate(standing).verdict).toBe(expected);
      const moved = { ms: 1_000, arrived: 1, applied: 1 };
      const last = looksOf(lag + 1, [...history.map((one) => ({ ...one, applied: 0 })), moved]);
      expect(evaluate(last).verdict).toBe("catching up");
    }),
  );
});

test("what a process says of itself goes before all that offsets say", () => {
  fc.assert(
    fc.property(startingLag, steps, (lag, history) => {
      expect(evaluate(looksOf(lag, history, "halted")).verdict).toBe("halted");
      expect(evaluate(looksOf(lag, history, "none")).verdict).toBe("stopped");
    }),
  );
});

test("only differences count: another place in the log, or another time, changes nothing", () => {
  const shift = fc.bigInt({ min: 0n, max: 10n ** 18n });
  fc.assert(
    fc.property(startingLag, steps, shift, fc.nat(), (lag, history, by, laterMs) => {
      const looks = looksOf(lag, history);
      const shifted = looks.map((look) => ({
        ...look,
        atMs: look.atMs + laterMs,
        position: look.position + by,
        end: look.end + by,
      }));
      expect(evaluate(shifted)).toEqual(evaluate(looks));
    }),
  );
});

test("looks before a step back don't count", () => {
  fc.assert(
    fc.property(steps, startingLag, steps, (before, lag, after) => {
      const window = looksOf(lag, after);
      const earlier = looksOf(7, before).map((look) => ({
        ...look,
        atMs: look.atMs - 10_000_000,
        position: look.position + 100_000n,
        end: look.end + 100_000n,
      }));
      expect(evaluate([...earlier, ...window])).toEqual(evaluate(window));
    }),
  );
});

test("at steady rates the lag is over when it was told to be", () => {
  const rate = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(rate, rate, fc.integer({ min: 2, max: 10 }), (arrived, faster, count) => {
      const one = { ms: 1_000, arrived, applied: arrived + faster };
      const looks = looksOf(
        faster * 40,
        Array.from({ length: count }, () => one),
      );
      const told = evaluate(looks);
      expect(told).toMatchObject({ trend: "falling", verdict: "catching up" });
      expect(told.secondsLeft).toBeCloseTo(40 - count, 6);
    }),
  );
});

test("a lag that doesn't fall is never said to end", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), steps, (lag, history) => {
      const growing = history.map((one) => ({ ...one, arrived: one.applied + 1 }));
      const told = evaluate(looksOf(lag, growing));
      expect(told.secondsLeft).toBeUndefined();
      if (growing.length > 0) expect(told.trend).toBe("rising");
    }),
  );
});

test("under steady traffic who moves and is less than a second behind keeps up", () => {
  const behindSeconds = fc.double({ min: 0.001, max: 3, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), behindSeconds, (rate, seconds) => {
      const one = { ms: 1_000, arrived: rate, applied: rate };
      const looks = looksOf(rate, [one, one]).map((look) => ({ ...look, behindSeconds: seconds }));
      expect(evaluate(looks).verdict).toBe(seconds < 1 ? "ok" : "catching up");
    }),
  );
});
