import type { Clock } from "../ports/clock.ts";

/** Waiting for "something has happened", however many things may. A call before the wait counts. */
export class Wakeup {
  #called = false;
  #resolve: (() => void) | undefined;

  readonly call = (): void => {
    this.#called = true;
    this.#resolve?.();
  };

  /** Resolves at the next call, or after `ms` where that is given. */
  async wait(clock: Clock, ms?: number): Promise<void> {
    if (!this.#called && (ms === undefined || ms > 0)) {
      const called = new Promise<void>((resolve) => (this.#resolve = resolve));
      await (ms === undefined ? called : withTimeout(called, clock, ms));
    }
    this.#called = false;
    this.#resolve = undefined;
  }
}

/** Resolves when the first of the two is over. */
export async function withTimeout(called: Promise<void>, clock: Clock, ms: number): Promise<void> {
  const done = new AbortController();
  await Promise.race([called, clock.sleep(ms, done.signal)]);
  // A reason, because the default is an error with a stack, made for each wait.
  done.abort("over");
}
