import type { Clock } from "../../engine/ports/clock.ts";

export interface Housekeeping {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Each is tried in every round, whatever became of the others. */
  readonly chores: readonly Chore[];
  /** Told when a chore fails, each minute while it goes on failing as it did, and when it's over. */
  readonly report: (message: string) => void;
}

export interface Chore {
  readonly name: string;
  readonly run: () => Promise<unknown>;
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
  const { clock, everyMs } = options;
  const kept = options.chores.map((chore) => new KeptChore(chore, options));
  while (!signal.aborted) {
    for (const chore of kept) await chore.tryOnce();
    await clock.sleep(everyMs, signal);
  }
}

const tellAgainMs = 60_000;

/** An outage of an hour is some sixty lines, not one for each round. */
class KeptChore {
  readonly #chore: Chore;
  readonly #options: Pick<Housekeeping, "clock" | "report">;
  #failures = 0;
  #told: { readonly message: string; readonly atMs: number } | undefined;

  constructor(chore: Chore, options: Pick<Housekeeping, "clock" | "report">) {
    this.#chore = chore;
    this.#options = options;
  }

  async tryOnce(): Promise<void> {
    try {
      await this.#chore.run();
    } catch (error) {
      return this.#failed((error as Error).message);
    }
    if (this.#failures > 0) this.#worked();
  }

  #failed(message: string): void {
    const { clock, report } = this.#options;
    this.#failures += 1;
    const atMs = clock.monotonicMs();
    const isKnown = this.#told?.message === message && atMs - this.#told.atMs < tellAgainMs;
    if (isKnown) return;
    this.#told = { message, atMs };
    const times = this.#failures === 1 ? "" : ` (${this.#failures} times so far)`;
    report(`${this.#chore.name} failed and is tried again${times}: ${message}`);
  }

  #worked(): void {
    const times = this.#failures === 1 ? "once" : `${this.#failures} times`;
    this.#options.report(`${this.#chore.name} works again: it had failed ${times}.`);
    this.#failures = 0;
    this.#told = undefined;
  }
}
