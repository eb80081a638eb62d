import { setTimeout as sleep } from "node:timers/promises";

export interface SteadyRate {
  readonly perSecond: number;
  /** In all; infinity: until `signal` aborts. */
  readonly turns: number;
  readonly signal?: AbortSignal | undefined;
}

/** One of the turns. */
export interface DueTurn {
  /** From 0. */
  readonly index: number;
  /** When it was due (performance.now), however late it is taken. */
  readonly dueMs: number;
  /** The same in Unix milliseconds. */
  readonly dueAtMs: number;
}

/**
 * What is due at a steady rate from now on, every millisecond or later: who is late gets all that
 * has become due meanwhile, with the times at which it was.
 */
export async function* steadyTurns({
  perSecond,
  turns,
  signal,
}: SteadyRate): AsyncGenerator<readonly DueTurn[], void> {
  const began = performance.now();
  const beganAtMs = Date.now();
  let given = 0;
  const isOver = (): boolean => given >= turns || signal?.aborted === true;
  while (!isOver()) {
    const elapsedMs = performance.now() - began;
    const due = Math.min(turns, Math.floor((elapsedMs * perSecond) / 1_000));
    const first = given;
    given = due;
    yield Array.from({ length: due - first }, (_, at) => {
      const sinceMs = ((first + at) * 1_000) / perSecond;
      return { index: first + at, dueMs: began + sinceMs, dueAtMs: beganAtMs + sinceMs };
    });
    await sleep(1);
  }
}
