import type { ClientBase } from "pg";
import { expect, test } from "vitest";

import { IdleWal } from "../../connectors/capture/idle-wal.ts";
import { formatLsn } from "../../connectors/capture/lsn.ts";
import { ManualClock } from "../../engine/memory/clock.ts";

/** A server whose WAL ends where it is told. */
function serverAt(end: { lsn: number }): ClientBase {
  const query = (): Promise<unknown> => Promise.resolve({ rows: [{ lsn: formatLsn(end.lsn) }] });
  return { query } as unknown as ClientBase;
}

function idle(end: { lsn: number }): { clock: ManualClock; wal: IdleWal } {
  const clock = new ManualClock();
  const options = { client: serverAt(end), clock, walBytesMax: 1_000_000, intervalMs: 2_000 };
  return { clock, wal: new IdleWal(options) };
}

test("WAL moves the position after the interval, and much of it at once", () => {
  const { clock, wal } = idle({ lsn: 0 });
  expect(wal.isDue(500, 100)).toBe(false);
  expect(wal.isDue(2_000_000, 100)).toBe(true);
  clock.advance(2_000);
  expect(wal.isDue(500, 100)).toBe(true);
  expect(wal.isDue(100, 100)).toBe(false);
});

test("the WAL that a move writes itself is no reason to move again", async () => {
  const end = { lsn: 900 };
  const { clock, wal } = idle(end);
  clock.advance(2_000);
  wal.moving();
  await wal.moved();
  clock.advance(10_000);
  expect(wal.isDue(900, 500)).toBe(false);
  expect(wal.isDue(950, 500)).toBe(false);
  expect(wal.isDue(1_200, 500)).toBe(true);
});
