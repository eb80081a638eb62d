import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";

import type { Assignment, Membership } from "../../engine/ports/assignment.ts";
import type { Clock, Random } from "../../engine/ports/clock.ts";

/** Real time, for tests that run the whole runner. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
  },
};

export const realRandom: Random = { next: () => Math.random(), id: () => randomUUID() };

/** Gives out what the test says; remembers what was released. */
export class ScriptedAssignment implements Assignment {
  readonly released: number[] = [];
  readonly fenced: number[] = [];
  readonly #waiting = new Set<() => void>();
  #now: ReadonlySet<number> | undefined;
  #changes = 0;

  give(partitions: Iterable<number>): void {
    this.#now = new Set(partitions);
    this.#changes += 1;
    for (const wake of this.#waiting) wake();
  }

  async join(_consumer: string, partitions: number): Promise<Membership> {
    if (!this.#now) this.give(Array.from({ length: partitions }, (_, at) => at));
    let ended = false;
    let wakeUp: (() => void) | undefined;
    const follow = this.#follow(
      () => ended,
      (wake) => (wakeUp = wake),
    );
    return {
      changes: follow,
      release: async (given) => void this.released.push(...given),
      fencedOut: (partitions) => void this.fenced.push(...partitions),
      [Symbol.asyncDispose]: async () => {
        ended = true;
        wakeUp?.();
      },
    };
  }

  async *#follow(
    ended: () => boolean,
    onWait: (wake: () => void) => void,
  ): AsyncGenerator<ReadonlySet<number>> {
    let seen = 0;
    while (!ended()) {
      if (this.#changes > seen && this.#now) {
        seen = this.#changes;
        yield this.#now;
        continue;
      }
      await new Promise<void>((resolve) => {
        onWait(resolve);
        this.#waiting.add(resolve);
      });
    }
  }
}

/** Waits for a condition; says what it was waiting for when the time is up. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${what}.`);
    await wait(2);
  }
}
