import type { Clock } from "../ports/clock.ts";
import type { EffectCount, EffectLedger } from "../ports/effect-ledger.ts";
import type { Labels, Metrics } from "../ports/metrics.ts";
import type { EffectLimits } from "./limits.ts";

export interface EffectWatchOptions {
  readonly ledger: Pick<EffectLedger, "counts">;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits: Pick<EffectLimits, "watchIntervalMs" | "oldMs">;
  readonly signal: AbortSignal;
}

/** Counts what is open in the ledger, whoever performs it, for metrics and health. */
export class EffectWatch {
  readonly #options: EffectWatchOptions;
  #open: readonly EffectCount[] = [];
  #told = new Map<string, Labels>();

  constructor(options: EffectWatchOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { clock, limits, signal } = this.#options;
    while (!signal.aborted) {
      await this.#look();
      await clock.sleep(limits.watchIntervalMs, signal);
    }
  }

  /** What somebody should look at. */
  reasons(): readonly string[] {
    const { oldMs } = this.#options.limits;
    return this.#open.flatMap(({ kind, state, effects, oldestMs }) => {
      if (state === "failed") return `${effects} ${kind} given up (refold effects list)`;
      if (state === "requested" && oldestMs > oldMs) {
        return `the oldest of ${effects} ${kind} has waited for ${Math.round(oldestMs / 1_000)} s`;
      }
      return [];
    });
  }

  async #look(): Promise<void> {
    const { ledger, metrics } = this.#options;
    try {
      const counts = await ledger.counts();
      this.#open = counts.filter(({ state }) => state !== "done");
    } catch {
      // An outage: the last figures stand until the next look.
      metrics.count("effect_ledger_failures_total", 1);
      return;
    }
    const told = new Map<string, Labels>();
    for (const { kind, state, effects, oldestMs } of this.#open) {
      const labels = { kind, state };
      told.set(`${kind} ${state}`, labels);
      metrics.gauge("effects_open", effects, labels);
      metrics.gauge("effect_oldest_seconds", oldestMs / 1_000, labels);
    }
    for (const [name, labels] of this.#told) {
      if (told.has(name)) continue;
      metrics.drop("effects_open", labels);
      metrics.drop("effect_oldest_seconds", labels);
    }
    this.#told = told;
  }
}
