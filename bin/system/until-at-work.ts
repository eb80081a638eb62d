import { setTimeout as delay } from "node:timers/promises";

import type { RunningConsumers } from "./consumers.ts";

/** Whoever shares partitions with others may be given none, and a log may hold much. */
const caughtUpWithinMs = 5_000;
const lookMs = 20;

/**
 * Waits until what runs here has applied what the log held. Not for long: it only keeps apart what
 * would take the processor from the first records.
 */
export async function untilAtWork(consumers: RunningConsumers | undefined): Promise<void> {
  const endMs = performance.now() + caughtUpWithinMs;
  const works = (): boolean => consumers === undefined || consumers.caughtUp();
  while (!works() && performance.now() < endMs) await delay(lookMs);
}
