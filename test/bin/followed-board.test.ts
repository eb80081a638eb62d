import { expect, test } from "vitest";

import { FollowedBoard } from "../../bin/system/followed-board.ts";
import type { FollowedPartitionHealth } from "../../connectors/redis/index.ts";
import { MemoryStatusBoard } from "../../engine/memory/status-board.ts";
import type { TaskReport } from "../../engine/ports/status-board.ts";
import { offset } from "../../engine/position.ts";

const report = (more: Partial<TaskReport>): TaskReport => ({
  consumer: "seats",
  kind: "projection",
  generation: 1,
  topic: "module-events",
  partition: 0,
  state: "running",
  nextOffset: offset(10),
  parkedKeys: 0,
  recordsPerSecond: 0,
  lastRecordedAtMs: undefined,
  currentAsOfMs: undefined,
  reason: undefined,
  ...more,
});

const followed = (more: Partial<FollowedPartitionHealth>): FollowedPartitionHealth => ({
  projection: "seats",
  generation: 1,
  partition: 0,
  state: "following",
  rowsWaiting: 0,
  reason: undefined,
  ...more,
});

test("reports say of each followed partition what waits, and why it isn't followed", async () => {
  const board = new MemoryStatusBoard();
  const parts = [
    followed({ rowsWaiting: 7 }),
    followed({ partition: 1, state: "joining" }),
    followed({ partition: 2, state: "waiting", reason: "Redis is away." }),
    followed({ partition: 3, generation: 2 }),
  ];
  const reports = [0, 1, 2, 3].map((partition) => report({ partition }));
  const others = [report({ consumer: "catalogue", kind: "processor", generation: undefined })];
  await new FollowedBoard(board, () => parts).report("here", [...reports, ...others]);
  expect((await board.read()).map(({ following }) => following)).toEqual([
    { rowsWaiting: 7, reason: undefined },
    { rowsWaiting: 0, reason: expect.stringContaining("compared with Postgres") },
    { rowsWaiting: 0, reason: "Redis is away." },
    undefined,
    undefined,
  ]);
});
