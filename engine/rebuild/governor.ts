import type { Clock } from "../ports/clock.ts";
import type { LiveLag } from "./live-lag.ts";

export interface GovernorOptions {
  readonly lag: Pick<LiveLag, "look" | "lagMs">;
  readonly clock: Clock;
  /** Lag of the serving generation above which the shadow waits, until it is half of it. */
  readonly budgetMs: number;
  readonly pollMs: number;
  /** A partition that hasn't moved while the shadow stood still for so long isn't waited for. */
  readonly patienceMs: number;
}

/** The slowest pace below the budget: a tenth of what the shadow could do. */
const shareMax = 0.9;

/**
 * Live traffic comes first: the shadow goes slower the nearer the serving generation's lag comes to
 * its budget, and stands still above it.
 */
export class Governor {
  readonly #options: GovernorOptions;
  #lookedAtMs = -Infinity;
  #wentOnAtMs: number | undefined;
  /** Partitions that have stood still since are not the shadow's doing. */
  #unmovedSinceMs = -Infinity;
  lagMaxMs = 0;
  throttledMs = 0;

  constructor(options: GovernorOptions) {
    this.#options = options;
  }

  /** Of the serving generation, as it was seen last. */
  get lagMs(): number {
    return this.#options.lag.lagMs();
  }

  /** Called between two steps of work; resolves when the next one may begin. */
  async pace(signal: AbortSignal, whileWaiting: () => Promise<void>): Promise<void> {
    const { clock, budgetMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const workedMs = nowMs - (this.#wentOnAtMs ?? nowMs);
    await this.#look();
    const pressure = this.#pressureMs / budgetMs;
    if (pressure > 1) await this.#standStill(signal, whileWaiting);
    else if (pressure > 0.5) await this.#slowDown(signal, workedMs);
    this.#wentOnAtMs = clock.monotonicMs();
  }

  /** Waits for as large a share of the time as the lag has of the upper half of its budget. */
  async #slowDown(signal: AbortSignal, workedMs: number): Promise<void> {
    const { budgetMs, pollMs } = this.#options;
    const share = Math.min(shareMax, (2 * this.#pressureMs) / budgetMs - 1);
    await this.#wait(Math.min(pollMs, (workedMs * share) / (1 - share)), signal);
  }

  async #standStill(signal: AbortSignal, whileWaiting: () => Promise<void>): Promise<void> {
    const { clock, budgetMs, pollMs, patienceMs } = this.#options;
    const begunAtMs = clock.nowMs();
    let waitedMs = 0;
    while (this.#pressureMs > budgetMs / 2 && !signal.aborted) {
      waitedMs += await this.#wait(pollMs, signal);
      await this.#look();
      await whileWaiting();
      if (waitedMs >= patienceMs) this.#unmovedSinceMs = begunAtMs;
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    const fromMs = clock.monotonicMs();
    await clock.sleep(ms, signal);
    const waitedMs = clock.monotonicMs() - fromMs;
    this.throttledMs += waitedMs;
    return waitedMs;
  }

  get #pressureMs(): number {
    return this.#options.lag.lagMs(this.#unmovedSinceMs);
  }

  async #look(): Promise<void> {
    const { lag, clock, pollMs } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lookedAtMs < pollMs) return;
    this.#lookedAtMs = nowMs;
    await lag.look();
    this.lagMaxMs = Math.max(this.lagMaxMs, lag.lagMs());
  }
}
