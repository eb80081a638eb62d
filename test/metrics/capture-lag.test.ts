import { expect, test } from "vitest";

import { CaptureLag } from "../../bin/system/capture-lag.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";

/** A server and a capture, each as far as the test says. */
function laggingCapture() {
  const clock = new ManualClock(1_000_000);
  const state = { end: 100, covered: 100, away: false };
  const told = new Map<string, number>();
  const query = (): Promise<unknown> =>
    state.away
      ? Promise.reject(new Error("the server is away"))
      : Promise.resolve({ rows: [{ lsn: String(state.end) }] });
  const lag = new CaptureLag({
    pool: { query } as never,
    metrics: { ...noMetrics, gauge: (name, value) => told.set(name, value) },
    clock,
    coveredLsn: () => state.covered,
  });
  const look = async (afterMs: number): Promise<void> => {
    clock.advance(afterMs);
    await lag.look().catch(() => undefined);
  };
  return { state, told, look, lag };
}

test("shows no lag while everything that the server wrote is published", async () => {
  const { told, look } = laggingCapture();
  await look(1_000);
  expect(told.get("capture_lag_bytes")).toBe(0);
  expect(told.get("capture_lag_seconds")).toBe(0);
});

test("grows for as long as a capture hangs, and ends when it has caught up", async () => {
  const { state, told, look, lag } = laggingCapture();
  await look(1_000);
  state.end = 150;
  for (const _ of [1, 2, 3]) await look(1_000);
  expect(told.get("capture_lag_bytes")).toBe(50);
  expect(told.get("capture_lag_seconds")).toBe(2);
  state.end = 170;
  await look(1_000);
  expect(lag.lagMs).toBe(3_000);
  state.covered = 150;
  await look(1_000);
  expect(told.get("capture_lag_seconds")).toBe(1);
  state.covered = 170;
  await look(1_000);
  expect(told.get("capture_lag_seconds")).toBe(0);
});

test("goes on growing while the server can't be asked", async () => {
  const { state, told, look } = laggingCapture();
  await look(1_000);
  state.away = true;
  for (const _ of [1, 2, 3]) await look(1_000);
  expect(told.get("capture_lag_seconds")).toBe(3);
});
