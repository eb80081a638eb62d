import type { Clock } from "../ports/clock.ts";
import type { DeadLetters, LettersOfKey } from "../ports/dead-letters.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Consumers } from "./consumers.ts";

export interface LetterDeskOptions {
  readonly deadLetters: DeadLetters;
  readonly consumers: Consumers;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Keys that one look brings; the others come with a later one. */
const keysMax = 2_500;

/** What consumers were asked to do. */
interface Passed {
  readonly done: Promise<unknown>;
}

/** Letters that one look asks for, of orders that aren't through. */
const lettersMax = 10_000;

/**
 * Looks what operators want done with dead letters, and passes it to the consumers of this process.
 * Every process looks; who owns a letter's partition does it. What isn't answered is found again by
 * the next look, so nothing has to be remembered here.
 */
export class LetterDesk {
  readonly #options: LetterDeskOptions;
  /** What was asked for at the last look, in short. */
  #seen = "";

  constructor(options: LetterDeskOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const passed = await this.#look();
      await this.#rest(passed?.done);
    }
  }

  /** Until what was passed on is done: that makes room for more. At most until the next look. */
  async #rest(done: Promise<unknown> | undefined): Promise<void> {
    const { clock, intervalMs, signal } = this.#options;
    const over = new AbortController();
    const rest = clock.sleep(intervalMs, AbortSignal.any([signal, over.signal]));
    await (done === undefined ? rest : Promise.race([done, rest]));
    over.abort();
  }

  /** @returns What is worth waiting for; undefined: nothing, until the usual time. */
  async #look(): Promise<Passed | undefined> {
    const { metrics } = this.#options;
    let passed: Passed | undefined;
    try {
      passed = await this.#pass();
    } catch {
      // An outage: the next look finds the same.
      metrics.count("dead_letter_look_failures_total", 1);
    }
    this.#tell();
    return passed;
  }

  async #pass(): Promise<Passed | undefined> {
    const { deadLetters, consumers } = this.#options;
    await deadLetters.release(lettersMax);
    const builds = [...consumers.all].map(({ task }) => ({
      consumer: task.name,
      generation: task.generation,
    }));
    const asked = builds.length === 0 ? [] : await deadLetters.asked(keysMax, builds);
    const done = [...consumers.all].map(({ consumer, task }) =>
      consumer.ask(
        asked.filter((of) => of.consumer === task.name && of.generation === task.generation),
      ),
    );
    return this.#moves(asked) ? { done: Promise.all(done) } : undefined;
  }

  /**
   * Something is asked for, and it isn't what was before: what stays is waited for, or can't be done
   * now.
   */
  #moves(asked: readonly LettersOfKey[]): boolean {
    const [first] = asked;
    const key = first?.key ? Buffer.from(first.key).toString("base64") : null;
    const seen = JSON.stringify([asked.length, first && { ...first, key }]);
    const moves = first !== undefined && seen !== this.#seen;
    this.#seen = seen;
    return moves;
  }

  #tell(): void {
    const { consumers, metrics } = this.#options;
    for (const { task, duty } of consumers.all) {
      if (duty.role === "kept") continue;
      const labels = { consumer: task.name };
      const parked = [...task.partitions].map((partition) => partition.parked);
      metrics.gauge("dead_letters_open", sum(parked.map(({ letters }) => letters)), labels);
      metrics.gauge("parked_keys", sum(parked.map(({ size }) => size)), labels);
    }
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
