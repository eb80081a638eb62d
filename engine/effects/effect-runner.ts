import { noProbe, type Probe } from "../crash-points.ts";
import type { Decider } from "../decision/decider.ts";
import type { EffectPerformer } from "../effect.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EffectLedger } from "../ports/effect-ledger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { withTimeout } from "../runner/wakeup.ts";
import { EffectLane, type OnFailed } from "./effect-lane.ts";
import { Tries } from "./effect-try.ts";
import { EffectWatch } from "./effect-watch.ts";
import { type EffectLimits, effectLimits } from "./limits.ts";
import type { WakeUps } from "./wake-ups.ts";

/** Effects to be performed in a process, and how. */
export interface EffectWork {
  readonly ledger: EffectLedger;
  /** One for each kind that is performed here. */
  readonly performers: readonly EffectPerformer[];
  readonly limits?: Partial<EffectLimits>;
  /** Told of each effect that is given up. */
  readonly onFailed?: OnFailed;
}

export interface EffectRunnerOptions {
  readonly work: EffectWork;
  readonly decider: Pick<Decider, "execute">;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly probe?: Probe | undefined;
}

/**
 * Performs effects on the outside world, beside any number of processes that do the same. The ledger
 * gives each effect to one of them for a time; whoever dies leaves its effects to the others.
 */
export class EffectRunner implements AsyncDisposable {
  readonly #options: EffectRunnerOptions;
  readonly #limits: EffectLimits;
  readonly #lanes: readonly EffectLane[];
  readonly #watch: EffectWatch;
  readonly #stopping = new AbortController();
  readonly #givingUp = new AbortController();
  readonly #dead = new AbortController();
  #finished: Promise<void> = Promise.resolve();

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
    this.#limits = effectLimits(options.work.limits);
    const { work, probe = noProbe } = options;
    const limits = this.#limits;
    const shared = { ...options, ledger: work.ledger, probe, limits };
    const { signal } = this.#givingUp;
    const tries = new Tries({ ...shared, signal, dead: this.#dead.signal });
    const { onFailed = () => undefined } = work;
    this.#lanes = work.performers.map(
      (performer) => new EffectLane({ ...shared, performer, tries, onFailed }),
    );
    this.#watch = new EffectWatch({ ...shared, signal: this.#stopping.signal });
  }

  /** Works until `stop`. Rejects with what nothing may catch: the process must not go on then. */
  run(): Promise<void> {
    this.#finished = this.#work();
    this.#finished.catch(() => undefined);
    return this.#finished;
  }

  async #work(): Promise<void> {
    const { wakeUps } = this.#options;
    const lanes = new Map(this.#lanes.map((lane) => [lane.kind, lane]));
    for (const lane of this.#lanes) wakeUps.beginWith(lane.kind, lane);
    const endListening = wakeUps.listen(({ effects = [] }) => {
      for (const kind of new Set(effects.map((effect) => effect.kind))) lanes.get(kind)?.wake();
    });
    try {
      await Promise.all([...this.#lanes.map((lane) => lane.run()), this.#watch.run()]);
    } catch (error) {
      this.#dead.abort();
      this.#givingUp.abort();
      for (const lane of this.#lanes) lane.stop();
      this.#stopping.abort();
      throw error;
    } finally {
      endListening();
    }
  }

  /** What somebody should look at, in sentences. */
  reasons(): readonly string[] {
    return [...this.#lanes.flatMap(({ reason }) => reason ?? []), ...this.#watch.reasons()];
  }

  /**
   * Takes nothing new and lets tries end, for a bounded time; those that haven't ended then are due
   * again at once, wherever somebody performs them. Idempotent; what `run` rejects with is not
   * thrown again.
   *
   * @param signal Aborting it ends the time.
   */
  async stop(signal?: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#stopping.abort();
    for (const lane of this.#lanes) lane.stop();
    const idle = Promise.all(this.#lanes.map((lane) => lane.idle())).then(() => undefined);
    const hurry = signal ? [aborted(signal)] : [];
    await withTimeout(Promise.race([idle, ...hurry]), clock, this.#limits.drainMs);
    this.#givingUp.abort();
    for (const lane of this.#lanes) lane.abort();
    await idle;
    await this.#finished.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
