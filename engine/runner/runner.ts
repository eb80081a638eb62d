import { reasonOf } from "../error-policy.ts";
import type { TaskReport, TaskState } from "../ports/status-board.ts";
import type { Consumer } from "./consumer.ts";
import type { LetterDesk } from "./letter-desk.ts";
import type { Monitor } from "./monitor.ts";
import type { TopicHub } from "./topic-hub.ts";

export interface RunnerOptions {
  readonly consumers: readonly Consumer[];
  readonly hubs: readonly TopicHub[];
  readonly monitor: Monitor;
  readonly letterDesk?: LetterDesk;
  readonly ending: AbortController;
}

/** One consumer, in a word: the worst of its partitions. */
export interface ConsumerHealth {
  readonly consumer: string;
  readonly state: TaskState;
  /** Why partitions have halted, or why the consumer ended. */
  readonly reasons: readonly string[];
  /** See `Runner.ageMs`. */
  readonly ageMs: number;
  /** Keys whose records wait behind a dead letter. */
  readonly parkedKeys: number;
}

const worstFirst: readonly TaskState[] = [
  "halted",
  "fenced",
  "stopped",
  "draining",
  "created",
  "assigned",
  "running",
];

/** All definitions of a process at work. `stop` drains: what is folded is flushed and committed. */
export class Runner implements AsyncDisposable {
  /**
   * Resolves when everything has stopped; rejects when something ended that nothing may catch (a
   * broken invariant): the process must not go on then.
   */
  readonly finished: Promise<void>;
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { consumers, monitor, letterDesk } = options;
    const runs = [...consumers.map((consumer) => consumer.run()), monitor.run()];
    if (letterDesk) runs.push(letterDesk.run());
    this.finished = Promise.all(runs).then(() => undefined);
    // Whoever doesn't watch `finished` meets the failure in `stop` and in `health`.
    this.finished.catch(() => undefined);
  }

  /**
   * Milliseconds since this process had last applied everything that the log held for the
   * projection; Infinity when it never had, or owns nothing of it.
   */
  ageMs(consumer: string): number {
    const found = this.#options.consumers.find(({ task }) => task.name === consumer);
    return found ? this.#options.monitor.ageMs(found.task) : Infinity;
  }

  health(): readonly ConsumerHealth[] {
    return this.#options.consumers.map((consumer) => {
      const { task } = consumer;
      const failure = consumer.failure ?? consumer.claimFailure;
      const partitions = [...task.partitions];
      const states = new Set(partitions.map(({ state }) => state));
      const state = worstFirst.find((one) => states.has(one)) ?? "created";
      const reasons = partitions.flatMap(({ name, reason }) =>
        reason ? `${name}: ${reason}` : [],
      );
      if (failure !== undefined) reasons.push(reasonOf(failure));
      const ageMs = this.#options.monitor.ageMs(task);
      const worst = failure === undefined ? state : "halted";
      const parkedKeys = partitions.reduce((sum, { parked }) => sum + parked.size, 0);
      return { consumer: task.name, state: worst, reasons, ageMs, parkedKeys };
    });
  }

  /** Every partition's state, as the status board gets it. */
  reports(): readonly TaskReport[] {
    return this.#options.monitor.reports();
  }

  /**
   * Takes nothing new, flushes what is folded, gives the partitions back. Idempotent.
   *
   * @param signal Aborting it gives up waiting between tries of a flush that fails.
   */
  async stop(signal?: AbortSignal): Promise<void> {
    const { consumers, hubs, monitor, ending } = this.#options;
    const giveUp = (): void => ending.abort();
    signal?.addEventListener("abort", giveUp);
    try {
      for (const consumer of consumers) consumer.stop();
      const runs = consumers.map((consumer) => consumer.stopped);
      await Promise.allSettled(runs);
      ending.abort();
      await Promise.all(hubs.map((hub) => hub.close()));
      await this.finished;
      await monitor.report();
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
