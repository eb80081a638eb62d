import { setTimeout as delay } from "node:timers/promises";

import type { RunningConsumers } from "./consumers.ts";

/** Whoever shares partitions with others may be given none, and a log may hold much. */
const atWorkWithinMs = 5_000;
const lookMs = 10;

/**
 * Waits until what runs here has applied what the log held, or has been at it for `afterFirstMs`
 * since its first record. Not for long: it only keeps apart what would take the processor from the
 * first records.
 */
export async function untilAtWork(
  consumers: Pick<RunningConsumers, "applied" | "caughtUp"> | undefined,
  afterFirstMs: number,
): Promise<void> {
  if (consumers === undefined) return;
  const startedMs = performance.now();
  let firstMs = Infinity;
  while (!consumers.caughtUp()) {
    const nowMs = performance.now();
    if (consumers.applied()) firstMs = Math.min(firstMs, nowMs);
    if (nowMs >= Math.min(startedMs + atWorkWithinMs, firstMs + afterFirstMs)) return;
    await delay(lookMs);
  }
}
