import { backoffMs } from "../backoff.ts";
import { noProbe, type Probe } from "../crash-points.ts";
import type { DeadlineType } from "../deadline.ts";
import type { Decider } from "../decision/decider.ts";
import type { CommandResult, Origin } from "../decision/outcome.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { InvariantViolation, TransientError } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Deadline, Deadlines } from "../ports/deadlines.ts";
import type { EventStore } from "../ports/event-store.ts";
import type { Metrics } from "../ports/metrics.ts";
import { Wakeup } from "../runner/wakeup.ts";
import { carriedOrigin } from "./carried-origin.ts";
import { type DeadlineLimits, deadlineLimits } from "./limits.ts";
import { StoreTime } from "./store-time.ts";
import { TroubledDeadlines } from "./troubled-deadlines.ts";
import type { WakeUps } from "./wake-ups.ts";

/** Deadlines to be waited for in a process, and how. */
export interface DeadlineWork {
  readonly store: Deadlines;
  /** By the store's clock they are due. */
  readonly eventStore: Pick<EventStore, "nowMs">;
  readonly types: readonly DeadlineType[];
  readonly limits?: Partial<DeadlineLimits>;
}

export interface DeadlineDeskOptions {
  readonly work: DeadlineWork;
  readonly decider: Pick<Decider, "execute">;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly probe?: Probe | undefined;
}

/**
 * Waits for deadlines, and has decided what follows from those that have passed: the earliest first,
 * many at a time. Any number of processes may wait for the same ones. Each decides, and all but the
 * first find an outcome in the store.
 */
export class DeadlineDesk implements AsyncDisposable {
  readonly #options: DeadlineDeskOptions;
  readonly #limits: DeadlineLimits;
  readonly #types: ReadonlyMap<string, DeadlineType>;
  readonly #time: StoreTime;
  readonly #troubled: TroubledDeadlines;
  readonly #wakeup = new Wakeup();
  /** The first that is known; Infinity: none is. */
  #nextAtMs = Infinity;
  #failures = 0;
  #reason: string | undefined;
  #stopping = false;
  #finished: Promise<void> = Promise.resolve();

  constructor(options: DeadlineDeskOptions) {
    const { work, clock, random } = options;
    this.#options = options;
    this.#limits = deadlineLimits(work.limits);
    this.#types = new Map(work.types.map((type) => [type.name, type]));
    const { clockAgeMaxMs: ageMaxMs, backoff, troubledMax } = this.#limits;
    this.#time = new StoreTime({ eventStore: work.eventStore, clock, ageMaxMs });
    this.#troubled = new TroubledDeadlines({ clock, random, backoff, troubledMax });
  }

  /** Works until `stop`. Rejects with what nothing may catch: the process must not go on then. */
  run(): Promise<void> {
    this.#finished = this.#work();
    this.#finished.catch(() => undefined);
    return this.#finished;
  }

  async #work(): Promise<void> {
    const { wakeUps, clock } = this.#options;
    const endListening = wakeUps.listen(({ deadlines = [] }) => {
      const earlier = deadlines.some(
        (one) => one.change === "set" && this.#types.has(one.name) && one.atMs < this.#nextAtMs,
      );
      if (earlier) this.#wakeup.call();
    });
    try {
      while (!this.#stopping) {
        const waitMs = await this.#look();
        if (waitMs > 0) await this.#wakeup.wait(clock, waitMs);
      }
    } finally {
      endListening();
    }
  }

  /** What somebody should look at, in sentences. */
  reasons(): readonly string[] {
    return [...(this.#reason === undefined ? [] : [this.#reason]), ...this.#troubled.reasons()];
  }

  /** Finishes what is being decided. Idempotent; what `run` rejects with is not thrown again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeup.call();
    await this.#finished.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @returns Milliseconds after which it makes sense to look again. */
  async #look(): Promise<number> {
    const { pollMs } = this.#limits;
    try {
      // Until the store has answered, any that is set may be the first.
      this.#nextAtMs = Infinity;
      const nextAtMs = await this.#options.work.store.nextAtMs([...this.#types.keys()]);
      this.#nextAtMs = nextAtMs ?? Infinity;
      const nowMs = await this.#time.nowMs();
      const waitMs = this.#nextAtMs > nowMs ? this.#nextAtMs - nowMs : await this.#fire(nowMs);
      this.#failures = 0;
      this.#reason = undefined;
      return Math.min(pollMs, waitMs);
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      this.#options.metrics.count("deadline_failures_total", 1);
      this.#failures += 1;
      this.#reason = `Deadlines can't be looked after: ${reasonOf(error)}`;
      const backoff = { ...this.#limits.storeBackoff, attemptsMax: Infinity };
      return Math.max(1, backoffMs(this.#failures, backoff, this.#options.random));
    }
  }

  /** @returns Milliseconds after which more may be due; 0: at once. */
  async #fire(nowMs: number): Promise<number> {
    const { work, probe = noProbe } = this.#options;
    const names = [...this.#types.keys()];
    const limit = this.#limits.batchMax + this.#troubled.size;
    const due = await work.store.due({ names, nowMs, limit });
    this.#troubled.keepOnly(due);
    const ready = due.filter((deadline) => this.#troubled.mayTry(deadline));
    if (ready.length > 0) probe.at("deadlines-found");
    const decided = await Promise.all(ready.map((deadline) => this.#pass(deadline)));
    const passed = ready.filter((_, at) => decided[at] === "passed");
    if (passed.length > 0) {
      probe.at("deadlines-decided");
      await work.store.settle(passed);
    }
    const outage = decided.find((one) => one instanceof TransientError);
    if (outage) throw outage;
    const stuck = passed.length < ready.length || ready.length === 0;
    return stuck ? this.#limits.backoff.initialMs : 0;
  }

  /** `passed`: its time has been decided on, whatever the decision was. */
  async #pass(deadline: Deadline): Promise<"passed" | "not-yet" | TransientError> {
    const { decider, metrics } = this.#options;
    const type = this.#types.get(deadline.name);
    if (type === undefined) return "not-yet";
    let result: CommandResult;
    try {
      result = await decider.execute(type.passed(deadline), originOf(deadline));
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      if (error instanceof TransientError) return error;
      metrics.count("deadline_failures_total", 1);
      this.#troubled.add(deadline, reasonOf(error));
      return "not-yet";
    }
    const decidedAtMs = timeOf(result, deadline);
    if (decidedAtMs < deadline.atMs) {
      // The store's clock was set back: it is too early to say that it has passed.
      this.#time.forget();
      return "not-yet";
    }
    this.#troubled.remove(deadline);
    metrics.count("deadlines_passed_total", 1, { name: deadline.name });
    metrics.observe("deadline_delay_seconds", (decidedAtMs - deadline.atMs) / 1_000);
    return "passed";
  }
}

/** When it was decided by the store's clock; -Infinity: it wasn't. */
function timeOf(result: CommandResult, { name, key }: Deadline): number {
  if (result.outcome === "held") return -Infinity;
  if (result.outcome !== "repeated") return result.recordedAtMs;
  throw new InvariantViolation(`The deadline ${name} of ${key} was decided under a client's key.`);
}

const originOf = (deadline: Deadline): Origin =>
  carriedOrigin(deadline, `deadline:${deadline.name}:${deadline.key}:${deadline.atMs}`);
