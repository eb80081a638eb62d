import { assert, double, integer, property, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { type Arrivals, type ModelServer, type Outcome, served } from "./model-server.ts";

const boundsOf = (waitMs: number) => ({ waitMs, atLeast: 32, atMost: 5_000 });

/** Servers that answer from 200 to 2,000 requests a second, in rounds, more or less evenly. */
const servers = record({
  roundMs: integer({ min: 2, max: 30 }),
  requestMs: double({ min: 0.5, max: 5, noNaN: true }),
  noise: double({ min: 0, max: 0.4, noNaN: true }),
  seed: integer({ min: 1, max: 1_000_000 }),
});

const modelOf = (given: {
  readonly roundMs: number;
  readonly requestMs: number;
  readonly noise: number;
  readonly seed: number;
}): ModelServer => ({ ...given, requestMs: () => given.requestMs, durationMs: 12_000 });

const beginsAt = (perSecond: Arrivals["perSecond"]): Arrivals => ({
  bounds: boundsOf(250),
  perSecond,
});

const waits = ({ answered }: Outcome, fromMs = 0, toMs = Infinity): number[] =>
  answered.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ waitMs }) => waitMs);

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

const only = (outcomes: readonly Outcome[]): Outcome => outcomes[0] as Outcome;

describe("a limit on requests under way", () => {
  it("keeps the wait of those who are let in, however many come", () => {
    const cases = tuple(servers, integer({ min: 1, max: 20 }));
    assert(
      property(cases, ([given, times]) => {
        const perSecond = (1_000 / given.requestMs) * times;
        const outcome = only(served(modelOf(given), [beginsAt(() => perSecond)]));
        const settledIn = waits(outcome, 2_000);
        expect(percentile(settledIn, 99)).toBeLessThan(500);
        expect(percentile(settledIn, 50)).toBeLessThan(320);
      }),
      { numRuns: 40 },
    );
  });

  it("leaves no capacity unused while there are too many, but what short rounds cost", () => {
    assert(
      property(servers, (given) => {
        const perSecond = 3_000 / given.requestMs;
        const outcome = only(served(modelOf(given), [beginsAt(() => perSecond)]));
        // A round takes in what has come during the last: within 250 ms there are two of them.
        const ofRound = (110 - given.roundMs) / 110;
        const able = (10_000 / given.requestMs) * ofRound;
        expect(waits(outcome, 2_000).length).toBeGreaterThan(able * 0.75);
      }),
      { numRuns: 40 },
    );
  });

  it("refuses nobody where the server keeps up", () => {
    assert(
      property(servers, (given) => {
        const perSecond = 300 / given.requestMs;
        const outcome = only(served(modelOf(given), [beginsAt(() => perSecond)]));
        expect(outcome.refusedAtMs).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("comes to rest instead of swinging", () => {
    assert(
      property(servers, (given) => {
        const perSecond = 5_000 / given.requestMs;
        const { limits } = only(served(modelOf(given), [beginsAt(() => perSecond)]));
        const late = limits.filter(({ atMs }) => atMs > 4_000).map(({ limit }) => limit);
        const spread = Math.sqrt(mean(late.map((limit) => (limit - mean(late)) ** 2)));
        expect(spread / mean(late)).toBeLessThan(0.3);
      }),
      { numRuns: 40 },
    );
  });

  it("follows a server that becomes slower and fast again, within a second each time", () => {
    const slow = (atMs: number): boolean => atMs >= 4_000 && atMs < 8_000;
    const server: ModelServer = {
      roundMs: 15,
      requestMs: (atMs) => (slow(atMs) ? 8 : 1.6),
      noise: 0.2,
      durationMs: 12_000,
      seed: 7,
    };
    const outcome = only(served(server, [beginsAt(() => 3_000)]));
    const perSecond = (fromMs: number): number => waits(outcome, fromMs, fromMs + 1_000).length;
    const before = perSecond(3_000);
    expect(percentile(waits(outcome, 5_500, 8_000), 99)).toBeLessThan(500);
    expect(perSecond(9_000)).toBeGreaterThan(before * 0.8);
    expect(percentile(waits(outcome, 9_000), 99)).toBeLessThan(500);
  });
});

describe("limits of several kinds on one server", () => {
  const server: ModelServer = {
    roundMs: 15,
    requestMs: () => 1.6,
    noise: 0.2,
    durationMs: 12_000,
    seed: 11,
  };
  const finish = { bounds: boundsOf(400) };

  it("let those in first that may wait longer, and never shut the others out", () => {
    const [begun, finished] = served(server, [
      beginsAt(() => 6_000),
      { ...finish, perSecond: () => 300 },
    ]) as [Outcome, Outcome];
    // The limits find their places in the first second.
    expect(finished.refusedAtMs.filter((atMs) => atMs > 1_000)).toEqual([]);
    expect(percentile(waits(finished, 2_000), 99)).toBeLessThan(500);
    expect(waits(begun, 2_000).length).toBeGreaterThan(1_000);
  });

  it("let some of each in where there are too many of both", () => {
    const [begun, finished] = served(server, [
      beginsAt(() => 6_000),
      { ...finish, perSecond: () => 6_000 },
    ]) as [Outcome, Outcome];
    expect(waits(finished, 2_000).length).toBeGreaterThan(waits(begun, 2_000).length * 2);
    expect(waits(begun, 2_000).length / 10).toBeGreaterThan(20);
    expect(percentile(waits(begun, 2_000), 99)).toBeLessThan(700);
  });
});
