import { TransientError } from "../../../engine/errors.ts";

export interface GatheringOptions<Ask, Answer> {
  /** Answers in the order of the asks. */
  readonly answer: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  readonly gatherMax: number;
  readonly callsInFlightMax: number;
  readonly waitingMax: number;
}

interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers what is asked while calls are in flight into the next call. */
export class Gathering<Ask, Answer> {
  readonly #options: GatheringOptions<Ask, Answer>;
  #waiting: Waiting<Ask, Answer>[] = [];
  #inFlight = 0;
  #scheduled = false;

  constructor(options: GatheringOptions<Ask, Answer>) {
    this.#options = options;
  }

  ask(ask: Ask): Promise<Answer> {
    if (this.#waiting.length >= this.#options.waitingMax) {
      const message = `${this.#waiting.length} payments wait for the sandbox already.`;
      return Promise.reject(new TransientError("payments-busy", message));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject });
      this.#schedule();
    });
  }

  /** Not at once: others ask in this turn too. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.#options.callsInFlightMax) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const gathered = this.#waiting.splice(0, this.#options.gatherMax);
      if (gathered.length > 0) void this.#call(gathered);
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** Never rejects: everybody gets an answer or the error. */
  async #call(gathered: readonly Waiting<Ask, Answer>[]): Promise<void> {
    this.#inFlight += 1;
    try {
      const answers = await this.#options.answer(gathered.map(({ ask }) => ask));
      for (const [at, { resolve }] of gathered.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      for (const { reject } of gathered) reject(error);
    } finally {
      this.#inFlight -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
