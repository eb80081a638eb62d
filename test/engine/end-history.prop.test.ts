import * as fc from "fast-check";
import { expect, test } from "vitest";

import { EndHistory } from "../../engine/runner/end-history.ts";

const growth = fc.array(fc.record({ by: fc.nat(5), afterMs: fc.integer({ min: 1, max: 1_000 }) }), {
  maxLength: 80,
});

/** What was appended when, and the looks that found it. */
function grow(steps: readonly { by: number; afterMs: number }[], history: EndHistory): number[] {
  const appendedAtMs: number[] = [];
  let nowMs = 0;
  history.note(0, nowMs);
  for (const { by, afterMs } of steps) {
    nowMs += afterMs;
    for (let record = 0; record < by; record++) appendedAtMs.push(nowMs);
    history.note(appendedAtMs.length, nowMs, appendedAtMs.at(-1) ?? 0);
  }
  return appendedAtMs;
}

test("tells when each place was passed, exactly while it has room", () => {
  fc.assert(
    fc.property(growth, (steps) => {
      const history = new EndHistory(1_000);
      const appendedAtMs = grow(steps, history);
      appendedAtMs.forEach((atMs, place) => expect(history.passedAtMs(place)).toBe(atMs));
      expect(history.passedAtMs(appendedAtMs.length)).toBeUndefined();
    }),
  );
});

test("never tells a place younger than it is when its room is small", () => {
  fc.assert(
    fc.property(growth, (steps) => {
      const history = new EndHistory(4);
      const appendedAtMs = grow(steps, history);
      appendedAtMs.forEach((atMs, place) =>
        expect(history.passedAtMs(place)).toBeLessThanOrEqual(atMs),
      );
    }),
  );
});

test("takes the last look's time for records with historical times", () => {
  const history = new EndHistory();
  history.note(0, 1_000);
  history.note(10, 2_000, 5);
  expect(history.passedAtMs(3)).toBe(1_000);
});

test("forgets what lies below a place and still answers beyond it", () => {
  const history = new EndHistory();
  history.note(0, 0);
  history.note(10, 1_000);
  history.note(20, 2_000);
  history.forget(15);
  expect(history.passedAtMs(15)).toBe(2_000);
  expect(history.passedAtMs(20)).toBeUndefined();
});
