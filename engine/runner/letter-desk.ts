import type { Clock } from "../ports/clock.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
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
const keysMax = 1_000;

/**
 * Looks what operators want done with dead letters, and passes it to the consumers of this process.
 * Every process looks; who owns a letter's partition does it. What isn't answered is found again by
 * the next look, so nothing has to be remembered here.
 */
export class LetterDesk {
  readonly #options: LetterDeskOptions;

  constructor(options: LetterDeskOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, intervalMs, signal } = this.#options;
    while (!signal.aborted) {
      await this.#look();
      await clock.sleep(intervalMs, signal);
    }
  }

  async #look(): Promise<void> {
    const { deadLetters, consumers, metrics } = this.#options;
    try {
      const asked = await deadLetters.asked(keysMax);
      for (const { consumer, task } of consumers.all) {
        consumer.ask(
          asked.filter((of) => of.consumer === task.name && of.generation === task.generation),
        );
      }
    } catch {
      // An outage: the next look finds the same.
      metrics.count("dead_letter_look_failures_total", 1);
    }
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
