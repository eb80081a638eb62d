import { expect, test } from "vitest";

import { watched } from "../../bin/status/progress.ts";
import { statusReport, type StatusFacts, type StatusReport } from "../../bin/status/report.ts";
import { type PartitionsShown, statusText as textOf } from "../../bin/status/text.ts";
import { offset, sequence } from "../../engine/position.ts";
import type { BoardEntry } from "../../engine/ports/status-board.ts";

const nowMs = Date.UTC(2026, 0, 1);

const statusText = (report: StatusReport, shown: PartitionsShown): string =>
  textOf(watched([report]), shown);

const entry = (partition: number, more: Partial<BoardEntry> = {}): BoardEntry => ({
  instance: "a",
  consumer: "seats",
  kind: "projection",
  generation: 1,
  topic: "t",
  partition,
  state: "running",
  nextOffset: offset(4),
  parkedKeys: 0,
  recordsPerSecond: 12,
  lastRecordedAtMs: nowMs - 9_000,
  currentAsOfMs: undefined,
  reason: undefined,
  reportedAtMs: nowMs - 500,
  ...more,
});

const stored = (partition: number, next: number) => ({
  topic: "t",
  partition,
  position: {
    logId: "l",
    nextOffset: offset(next),
    source: { kind: "lane", incarnation: "i", nextSequence: sequence(next + 1) },
  } as const,
  lastRecordedAtMs: nowMs - 9_000,
});

const facts: StatusFacts = {
  nowMs,
  consumers: [
    {
      name: "seats",
      kind: "projection",
      topics: [{ name: "t", partitions: 2 }],
      positions: [stored(0, 4), stored(1, 7)],
    },
  ],
  bounds: new Map([
    [
      "t",
      [
        { partition: 0, start: offset(0), end: offset(10), lastTimestampMs: nowMs - 2_000 },
        { partition: 1, start: offset(0), end: offset(7), lastTimestampMs: nowMs - 5_000 },
      ],
    ],
  ]),
  board: [entry(0), entry(1)],
  capture: { slot: "refold", active: true, lagBytes: 120 },
  hold: undefined,
  deadLetters: [
    { consumer: "seats", disposition: "failed", letters: 2, keys: 2 },
    { consumer: "seats", disposition: "discarded", letters: 7, keys: 5 },
  ],
};

test("lag is told in records and in seconds between applied and last record", () => {
  const [seats] = statusReport(facts).consumers;
  expect(seats).toMatchObject({
    state: "running",
    lagRecords: 6,
    lagSeconds: 7,
    recordsPerSecond: 24,
    deadLetters: 2,
  });
  expect(seats?.partitions[1]).toMatchObject({ position: "7", end: "7", lagSeconds: 0 });
});

test("a process that is dead shows as stopped, with the lag of its stored positions", () => {
  const board = [entry(0, { reportedAtMs: nowMs - 60_000 }), entry(1, { reportedAtMs: 0 })];
  const capture = { slot: "refold", active: false, lagBytes: 9 };
  const report = statusReport({ ...facts, board, capture });
  expect(report.running).toBe(false);
  expect(report.capture.state).toBe("stopped");
  expect(report.consumers[0]).toMatchObject({
    state: "stopped",
    lagRecords: 6,
    recordsPerSecond: 0,
  });
});

test("one halted partition makes its consumer halted, and is listed with the reason", () => {
  const board = [entry(0), entry(1, { state: "halted", reason: "A hole at 8." })];
  const report = statusReport({ ...facts, board });
  expect(report.consumers[0]).toMatchObject({ state: "halted", reason: "A hole at 8." });
  const text = statusText(report, "troubled");
  expect(text).toContain("t/1");
  expect(text).toContain("seats: A hole at 8.");
});

test("partitions are left out of the text where nothing is wrong, and shown when asked for", () => {
  const report = statusReport(facts);
  expect(statusText(report, "troubled")).not.toContain("t/0");
  expect(statusText(report, "all")).toContain("t/0");
});

test("records that retention took count as no lag, and nothing applied as all of it", () => {
  const bounds = new Map([["t", [{ partition: 0, start: offset(6), end: offset(10) }]]]);
  const consumers = facts.consumers.map((one) => ({ ...one, positions: [] }));
  const [seats] = statusReport({ ...facts, bounds, consumers, board: [] }).consumers;
  expect(seats).toMatchObject({ state: "not started", lagRecords: 4, lagSeconds: 0 });
});

test("an import's hold is told with its clock", () => {
  const hold = { name: "oulad", clockMs: Date.UTC(2013, 8, 1) };
  const text = statusText(statusReport({ ...facts, hold }), "troubled");
  expect(text).toContain(
    "held by the import oulad, whose clock stands at 2013-09-01T00:00:00.000Z",
  );
});

test("a consumer with parked keys is parked, says where to look, and still runs", () => {
  const board = [entry(0), entry(1, { parkedKeys: 2 })];
  const report = statusReport({ ...facts, board });
  expect(report.consumers[0]).toMatchObject({ state: "parked", parkedKeys: 2, deadLetters: 2 });
  expect(report.consumers[0]?.partitions.map(({ state }) => state)).toEqual(["running", "parked"]);
  const text = statusText(report, "troubled");
  expect(text).toContain("seats: 2 keys wait behind dead letters; see refold dlq list");
  const settled = { ...facts, deadLetters: [], board: [entry(0), entry(1)] };
  expect(statusReport(settled).consumers[0]).toMatchObject({ state: "running", parkedKeys: 0 });
});

const held = (partition: number, next: number) => {
  const { topic, position } = stored(partition, next);
  return { topic, partition, position, lastRecordedAtMs: undefined };
};

test("Redis that has all that Postgres has is told as current, whatever waits meanwhile", () => {
  const board = [entry(0, { following: { rowsWaiting: 3, reason: undefined } }), entry(1)];
  const redis = {
    fault: undefined,
    projections: [{ name: "seats", positions: [held(0, 4), held(1, 9)], cold: [] }],
  };
  const report = statusReport({ ...facts, board, redis });
  expect(report.redis?.projections).toEqual([
    { name: "seats", state: "current", rowsWaiting: 3, reason: null, partitions: [] },
  ]);
  expect(statusText(report, "troubled")).toContain("\nredis current\n");
});

test("partitions that are behind in Redis are told with their records, rows and reason", () => {
  const following = { rowsWaiting: 12, reason: "Redis can't be reached." };
  const redis = {
    fault: undefined,
    projections: [{ name: "seats", positions: [held(1, 2)], cold: [0] }],
  };
  const board = [entry(0), entry(1, { following })];
  const report = statusReport({ ...facts, board, redis });
  expect(report.redis?.projections[0]).toMatchObject({
    state: "behind",
    rowsWaiting: 12,
    partitions: [
      { partition: 0, lagRecords: null, rowsWaiting: null },
      { partition: 1, lagRecords: 5, rowsWaiting: 12, reason: "Redis can't be reached." },
    ],
  });
  expect(statusText(report, "troubled")).toMatch(
    /^redis behind for seats, partitions 0 \(not whole\), 1 \(5\), 12 rows wait: no worker fills/m,
  );
});

test("a Redis that can't be reached or read is told as unknown", () => {
  const away = statusReport({ ...facts, redis: { fault: "it is away", projections: [] } });
  expect(statusText(away, "troubled")).toContain("redis unknown: it is away");
  const unread = { name: "seats", fault: "no generation of version 2 serves" };
  const redis = { fault: undefined, projections: [unread] };
  const text = statusText(statusReport({ ...facts, redis }), "troubled");
  expect(text).toContain("redis unknown for seats: no generation of version 2 serves");
  expect(statusReport(facts).redis).toBe(null);
});
