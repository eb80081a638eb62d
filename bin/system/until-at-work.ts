import { setTimeout as delay } from "node:timers/promises";

import type { RunningConsumers } from "./consumers.ts";

const lookMs = 20;

/**
 * Waits until what runs here has applied what the log held. For `withinMs` at most, since whoever
 * shares partitions with others may be given none: it only keeps apart what would take the processor
 * from the first records.
 */
export async function untilAtWork(
  consumers: Pick<RunningConsumers, "caughtUp"> | undefined,
  withinMs: number,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  const works = (): boolean => consumers === undefined || consumers.caughtUp();
  while (!works() && performance.now() < endMs) await delay(lookMs);
}
