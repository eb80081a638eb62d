import { expect, test } from "vitest";

import { watched } from "../../bin/status/progress.ts";
import { statusReport, type StatusReport } from "../../bin/status/report.ts";
import { screen } from "../../bin/status/screen.ts";
import { lookUntilKnown, watch } from "../../bin/status/watch.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { offset, sequence } from "../../engine/position.ts";
import type { TaskState } from "../../engine/ports/status-board.ts";

interface Seen {
  readonly atMs: number;
  /** Positions of two partitions whose logs end at 1000. */
  readonly positions: readonly [number, number];
  readonly state?: TaskState;
}

function reportOf({ atMs, positions, state = "running" }: Seen): StatusReport {
  const common = { topic: "t", generation: 1, consumer: "seats", kind: "projection" } as const;
  return statusReport({
    nowMs: atMs,
    consumers: [
      {
        name: "seats",
        kind: "projection",
        topics: [{ name: "t", partitions: 2 }],
        positions: positions.map((next, partition) => ({
          topic: "t",
          partition,
          position: {
            logId: "l",
            nextOffset: offset(next),
            source: { kind: "lane", incarnation: "i", nextSequence: sequence(next + 1) },
          },
          lastRecordedAtMs: 0,
        })),
      },
    ],
    bounds: new Map([
      [
        "t",
        [0, 1].map((partition) => ({
          partition,
          start: offset(0),
          end: offset(1_000),
          lastTimestampMs: 60_000,
        })),
      ],
    ]),
    board: positions.map((next, partition) => ({
      ...common,
      instance: "a",
      partition,
      state,
      nextOffset: offset(next),
      parkedKeys: 0,
      recordsPerSecond: 5,
      lastRecordedAtMs: undefined,
      currentAsOfMs: undefined,
      reason: state === "halted" ? "A hole." : undefined,
      reportedAtMs: atMs,
    })),
    capture: undefined,
    hold: undefined,
    deadLetters: [],
  });
}

const signal = () => new AbortController().signal;

/** A clock whose waits are over at once, and looks that are given one after the other. */
function looking(given: readonly Seen[]) {
  const clock = new ManualClock(0);
  const waiting = Object.create(clock, {
    sleep: { value: (ms: number) => Promise.resolve(clock.advance(ms)) },
    monotonicMs: { value: () => clock.monotonicMs() },
  }) as ManualClock;
  let taken = 0;
  const look = (): Promise<StatusReport> => {
    const seen = given[taken++] ?? given.at(-1);
    if (seen === undefined) throw new Error("there is no look");
    return Promise.resolve(reportOf({ ...seen, atMs: clock.monotonicMs() }));
  };
  return { look, clock: waiting, taken: () => taken };
}

test("the time left is the slowest partition's", () => {
  const report = watched([
    reportOf({ atMs: 10_000, positions: [100, 500] }),
    reportOf({ atMs: 12_000, positions: [300, 510] }),
  ]);
  expect(report.consumers[0]?.progress).toEqual({
    verdict: "catching up",
    trend: "falling",
    appliedPerSecond: 105,
    arrivedPerSecond: 0,
    secondsLeft: 98,
    slowest: "t/1",
  });
});

test("one partition that stands makes the consumer stalled, and its end unknown", () => {
  const report = watched([
    reportOf({ atMs: 10_000, positions: [100, 500] }),
    reportOf({ atMs: 16_000, positions: [900, 500] }),
  ]);
  const { verdict, secondsLeft, slowest } = report.consumers[0]?.progress ?? {};
  expect({ verdict, secondsLeft, slowest }).toEqual({
    verdict: "stalled",
    secondsLeft: null,
    slowest: "t/1",
  });
});

test("a single answer takes one look where nothing is behind, or everything is said", async () => {
  for (const seen of [
    { atMs: 0, positions: [1_000, 1_000] },
    { atMs: 0, positions: [0, 0], state: "halted" },
  ] as const) {
    const { look, clock, taken } = looking([seen]);
    await lookUntilKnown(look, { clock, intervalMs: 1_000, signal: signal() });
    expect(taken()).toBe(1);
  }
});

test("a single answer takes a second look to tell who moves", async () => {
  const { look, clock, taken } = looking([
    { atMs: 0, positions: [0, 0] },
    { atMs: 0, positions: [10, 10] },
  ]);
  const report = await lookUntilKnown(look, { clock, intervalMs: 1_000, signal: signal() });
  expect(taken()).toBe(2);
  expect(report.consumers[0]?.progress.verdict).toBe("catching up");
});

test("a single answer looks for as long as it takes to tell who is stalled", async () => {
  const { look, clock } = looking([{ atMs: 0, positions: [5, 5] }]);
  const report = await lookUntilKnown(look, { clock, intervalMs: 1_000, signal: signal() });
  expect(report.consumers[0]?.progress.verdict).toBe("stalled");
  expect(report.window).toEqual({ looks: 6, seconds: 5 });
});

test("a look that fails is told, and the next one comes in its turn", async () => {
  const { look, clock } = looking([{ atMs: 0, positions: [5, 5] }]);
  const controller = new AbortController();
  const told: string[] = [];
  let looks = 0;
  await watch({
    look: () => (++looks === 2 ? Promise.reject(new Error("away")) : look()),
    show: ({ window }) => {
      told.push(`${window.looks} looks`);
      if (looks === 3) controller.abort();
    },
    failed: (error) => told.push(String(error)),
    clock,
    intervalMs: 2_000,
    signal: controller.signal,
  });
  expect(told).toEqual(["1 looks", "Error: away", "2 looks"]);
});

test("a watch keeps no more looks than its window has", async () => {
  const { look, clock } = looking([{ atMs: 0, positions: [5, 5] }]);
  const controller = new AbortController();
  const sizes: number[] = [];
  await watch({
    look,
    show: ({ window }) => {
      if (sizes.push(window.looks) === 25) controller.abort();
    },
    failed: () => undefined,
    clock,
    intervalMs: 2_000,
    signal: controller.signal,
  });
  expect(Math.max(...sizes)).toBe(10);
});

function shown(out: { isTTY?: boolean; rows?: number }, format: "text" | "json"): string {
  let text = "";
  const write = (more: string): boolean => {
    text += more;
    return true;
  };
  const show = screen({
    out: { ...out, write },
    partitions: "all",
    intervalMs: 2_000,
    format,
  });
  show(watched([reportOf({ atMs: 10_000, positions: [100, 1_000] })]));
  return text;
}

test("a pipe gets a whole line for each consumer, and no escapes", () => {
  const text = shown({}, "text");
  expect(text).toBe(
    "1970-01-01T00:00:10.000Z seats: not known yet (running), 900 records and 60.0 s behind, " +
      "10 records/s, left ?, by t/0\n",
  );
});

test("with --json each look is one line", () => {
  const text = shown({ isTTY: true }, "json");
  expect(text.trimEnd()).not.toContain("\n");
  expect(JSON.parse(text)).toMatchObject({ consumers: [{ progress: { verdict: null } }] });
});

test("a terminal is written over in place, within its rows", () => {
  const text = shown({ isTTY: true, rows: 6 }, "text");
  expect(text.startsWith("\u001b[H")).toBe(true);
  expect(text.split("\n").length).toBeLessThanOrEqual(6);
  expect(text).toContain("lines more than the terminal has");
});
