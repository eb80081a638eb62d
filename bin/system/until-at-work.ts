import { setTimeout as delay } from "node:timers/promises";

import type { RunningConsumers } from "./consumers.ts";

const lookMs = 10;

/** Whoever shares partitions with others may be given none, and a log may hold much. */
export interface Patience {
  /** The longest wait for a first record. */
  readonly firstMs: number;
  /** The longest wait for the records behind it. */
  readonly restMs: number;
}

/**
 * Waits until what runs here has applied what the log held. Not for long: it only keeps apart what
 * would take the processor from the first records.
 */
export async function untilAtWork(
  consumers: Pick<RunningConsumers, "applied" | "caughtUp"> | undefined,
  { firstMs, restMs }: Patience,
): Promise<void> {
  if (consumers === undefined) return;
  let endMs = performance.now() + firstMs;
  let applied = false;
  while (!consumers.caughtUp() && performance.now() < endMs) {
    if (!applied && consumers.applied()) {
      applied = true;
      endMs = performance.now() + restMs;
    }
    await delay(lookMs);
  }
}
