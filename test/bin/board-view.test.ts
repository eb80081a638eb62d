import { expect, onTestFinished, test } from "vitest";

import { BoardView } from "../../bin/system/board-view.ts";
import { MirroredBoard } from "../../bin/system/mirrored-board.ts";
import { MemoryStatusBoard } from "../../engine/memory/status-board.ts";
import type { TaskReport } from "../../engine/ports/status-board.ts";
import { offset } from "../../engine/position.ts";

const nowMs = 1_000_000;

const reportOf = (partition: number, more: Partial<TaskReport> = {}): TaskReport => ({
  consumer: "seats",
  kind: "projection",
  generation: 1,
  topic: "module-events",
  partition,
  state: "running",
  nextOffset: offset(10 + partition),
  parkedKeys: 1,
  recordsPerSecond: 0,
  lastRecordedAtMs: undefined,
  currentAsOfMs: nowMs - 100 * (partition + 1),
  reason: undefined,
  ...more,
});

/** A view that has read the board once. */
async function viewOf(board: MemoryStatusBoard): Promise<BoardView> {
  const read = Promise.withResolvers<void>();
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => 0,
    sleep: (_: number, signal?: AbortSignal) => {
      read.resolve();
      return new Promise<void>((resolve) => {
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
  const view = new BoardView({ board, clock, report: () => undefined });
  onTestFinished(() => view[Symbol.asyncDispose]());
  await read.promise;
  return view;
}

test("a projection is as old as its oldest partition, in whatever process that is", async () => {
  const board = new MemoryStatusBoard({ nowMs: () => nowMs });
  await board.report("one", [reportOf(0), reportOf(1)]);
  await board.report("other", [reportOf(6)]);
  const view = await viewOf(board);
  expect(view.ageMs("seats")).toBe(700);
  expect(view.health(["seats"])).toMatchObject([{ state: "running", ageMs: 700, parkedKeys: 3 }]);
});

test("nobody's age is told where a partition has never been current, or nobody works", async () => {
  const board = new MemoryStatusBoard({ nowMs: () => nowMs });
  await board.report("one", [reportOf(0), reportOf(1, { currentAsOfMs: undefined })]);
  const view = await viewOf(board);
  expect(view.ageMs("seats")).toBeUndefined();
  expect(view.health(["letters"])).toMatchObject([
    { state: "absent", ageMs: undefined, reason: "no worker runs it" },
  ]);
});

test("a halt is told with its reason, and reports of the dead don't count", async () => {
  let reportedAtMs = nowMs - 60_000;
  const board = new MemoryStatusBoard({ nowMs: () => reportedAtMs });
  await board.report("dead", [reportOf(0, { state: "halted", reason: "long ago" })]);
  reportedAtMs = nowMs;
  await board.report("one", [reportOf(1, { state: "halted", reason: "a hole" })]);
  const view = await viewOf(board);
  expect(view.health(["seats"])).toMatchObject([{ state: "halted", reason: "a hole" }]);
});

test("reports of consumers move the offsets of their groups, and the capture's don't", async () => {
  const flushed: unknown[] = [];
  const board = new MemoryStatusBoard();
  const mirrored = new MirroredBoard(board, { flushed: (at) => void flushed.push(at) });
  await mirrored.report("one", [reportOf(3), reportOf(0, { kind: "capture" })]);
  expect(flushed).toEqual([
    { group: "refold.seats", topic: "module-events", partition: 3, nextOffset: offset(13) },
  ]);
  expect(await mirrored.read()).toHaveLength(2);
});
