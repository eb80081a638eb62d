import type { Clock } from "../../engine/ports/clock.ts";

export interface Housekeeping {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Each is tried in every round, whatever became of the others. */
  readonly chores: readonly { readonly name: string; readonly run: () => Promise<unknown> }[];
  readonly report: (message: string) => void;
}

/** Chores that nothing waits for, such as the end of records whose time is over. */
export function keepHouse(options: Housekeeping): AsyncDisposable {
  const stop = new AbortController();
  const done = rounds(options, stop.signal);
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return done;
    },
  };
}

async function rounds(options: Housekeeping, signal: AbortSignal): Promise<void> {
  const { clock, everyMs, chores, report } = options;
  while (!signal.aborted) {
    for (const { name, run } of chores) {
      try {
        await run();
      } catch (error) {
        report(`${name} failed and is tried again: ${(error as Error).message}`);
      }
    }
    await clock.sleep(everyMs, signal);
  }
}
