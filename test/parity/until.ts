import { setTimeout as delay } from "node:timers/promises";

export interface Waiting {
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  /** Completes "... after 100 ms". */
  readonly otherwise: () => string;
}

/** @throws Error when the condition doesn't hold in time. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  { timeoutMs, intervalMs = 20, otherwise }: Waiting,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${otherwise()} after ${timeoutMs} ms.`);
    await delay(intervalMs);
  }
}
