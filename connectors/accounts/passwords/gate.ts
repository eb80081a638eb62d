import { TransientError } from "../../../engine/errors.ts";

export interface GateOptions {
  /** How much is done at once. */
  readonly runningMax: number;
  /** How much waits for it; more is refused. */
  readonly waitingMax: number;
}

/** Lets in so many at once, the first come first, and so many wait. */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** @throws TransientError `sign-in-busy` when too many wait already. */
  async pass<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    const { runningMax, waitingMax } = this.#options;
    if (this.#running < runningMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= waitingMax) {
      throw new TransientError(
        "sign-in-busy",
        `${this.#waiting.length} sign-ins wait for their passwords to be checked: try again soon.`,
      );
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Whoever waits takes the place over: nobody who comes in between gets it. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
