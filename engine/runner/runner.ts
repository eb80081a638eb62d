import type { DeadlineDesk } from "../effects/deadline-desk.ts";
import type { EffectRunner } from "../effects/effect-runner.ts";
import { reasonOf } from "../error-policy.ts";
import type { TaskReport, TaskState } from "../ports/status-board.ts";
import type { Consumers } from "./consumers.ts";
import type { ConsumerFactory } from "./consumer-factory.ts";
import type { GenerationWatch } from "./generation-watch.ts";
import type { LetterDesk } from "./letter-desk.ts";
import type { LiveConsumer } from "./live-consumer.ts";
import type { Monitor } from "./monitor.ts";

export interface RunnerOptions {
  /** Of all definitions, in the order in which they are told. */
  readonly names: readonly string[];
  readonly consumers: Consumers;
  readonly factory: Pick<ConsumerFactory, "hubs">;
  readonly monitor: Monitor;
  readonly watch?: GenerationWatch;
  readonly letterDesk?: LetterDesk;
  readonly effects?: EffectRunner;
  readonly deadlines?: DeadlineDesk;
  readonly ending: AbortController;
  /** Ends the watch, which must not add consumers while they stop. */
  readonly watching: AbortController;
}

/** One definition's consumer, in a word: the worst of its partitions. */
export interface ConsumerHealth {
  readonly consumer: string;
  /** `waiting`: no generation of the projection's version serves. */
  readonly state: TaskState | "waiting";
  /** Why partitions have halted, why the consumer ended, or what it waits for. */
  readonly reasons: readonly string[];
  /** See `Runner.ageMs`; time for which a hold has kept it still is left out here. */
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

const sound = { state: "running", ageMs: 0, parkedKeys: 0 } as const;

/** All definitions of a process at work. `stop` drains: what is folded is flushed and committed. */
export class Runner implements AsyncDisposable {
  /**
   * Resolves when everything has stopped; rejects when something ended that nothing may catch (a
   * broken invariant): the process must not go on then.
   */
  readonly finished: Promise<void>;
  readonly #options: RunnerOptions;
  readonly #watched: Promise<void>;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const { consumers, monitor, letterDesk, watch, effects, deadlines } = options;
    const runs = [consumers.run(), monitor.run()];
    if (letterDesk) runs.push(letterDesk.run());
    if (effects) runs.push(effects.run());
    if (deadlines) runs.push(deadlines.run());
    this.#watched = watch?.run() ?? Promise.resolve();
    this.finished = Promise.all([...runs, this.#watched]).then(() => undefined);
    // Whoever doesn't watch `finished` meets the failure in `stop` and in `health`.
    this.finished.catch(() => undefined);
  }

  /**
   * Milliseconds since this process had last applied everything that the log held for the
   * projection; Infinity when it never had, owns nothing of it, or waits for a generation.
   */
  ageMs(consumer: string): number {
    const found = this.#speaker(consumer);
    return found ? this.#options.monitor.ageMs(found) : Infinity;
  }

  /** Has a record been applied here? */
  applied(): boolean {
    return this.#options.consumers.all.some(({ consumer }) => consumer.applied);
  }

  /**
   * Of every definition; of a projection's generations, the one that serves. Then of `effects` and
   * `deadlines`, where they are looked after here: reasons with them are for somebody to look at,
   * and keep nothing from running.
   */
  health(): readonly ConsumerHealth[] {
    const { effects, deadlines } = this.#options;
    const definitions = this.#options.names.map((name) => {
      const speaker = this.#speaker(name);
      return speaker ? this.#healthOf(speaker) : this.#waiting(name);
    });
    const desks = Object.entries({ effects, deadlines }).flatMap(([consumer, desk]) =>
      desk ? [{ ...sound, consumer, reasons: desk.reasons() }] : [],
    );
    return [...definitions, ...desks];
  }

  #healthOf(live: LiveConsumer): ConsumerHealth {
    const { task, consumer } = live;
    const failure = consumer.failure ?? consumer.claimFailure;
    const partitions = [...task.partitions];
    const states = new Set(partitions.map(({ state }) => state));
    const state = worstFirst.find((one) => states.has(one)) ?? "created";
    const reasons = partitions.flatMap(({ name, reason }) => (reason ? `${name}: ${reason}` : []));
    if (failure !== undefined) reasons.push(reasonOf(failure));
    const missing = this.#options.watch?.waiting.get(task.name);
    if (missing !== undefined) reasons.push(missing);
    const ageMs = this.#options.monitor.workingAgeMs(live);
    const worst = failure === undefined ? state : "halted";
    const parkedKeys = partitions.reduce((sum, { parked }) => sum + parked.size, 0);
    return { consumer: task.name, state: worst, reasons, ageMs, parkedKeys };
  }

  #waiting(consumer: string): ConsumerHealth {
    const reason = this.#options.watch?.waiting.get(consumer) ?? "Its generation isn't open yet.";
    return { consumer, state: "waiting", reasons: [reason], ageMs: Infinity, parkedKeys: 0 };
  }

  /**
   * Who speaks for a definition: its consumer that serves, and until that has its partitions the one
   * that served before, which goes on all the while.
   */
  #speaker(name: string): LiveConsumer | undefined {
    const { consumers, monitor } = this.#options;
    const serving = consumers.serving(name);
    const before = serving?.after;
    if (!before || serving.consumer.failure !== undefined) return serving;
    return serving.consumer.arrived && Number.isFinite(monitor.ageMs(serving)) ? serving : before;
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
    const { consumers, factory, monitor, ending, watching, effects, deadlines } = this.#options;
    const giveUp = (): void => ending.abort();
    signal?.addEventListener("abort", giveUp);
    try {
      watching.abort();
      consumers.stop();
      await this.#watched.catch(() => undefined);
      await Promise.all([consumers.stopped(), effects?.stop(signal), deadlines?.stop()]);
      ending.abort();
      await Promise.all(factory.hubs.map((hub) => hub.close()));
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
