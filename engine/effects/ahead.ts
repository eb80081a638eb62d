import type { Clock } from "../ports/clock.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";
import type { EffectLimits } from "./limits.ts";

export interface AheadOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly limits: Pick<EffectLimits, "aheadMax" | "leaseMs" | "tryTimeoutMs">;
}

interface Leased {
  readonly effect: StoredEffect;
  /** By the monotonic clock: a try that begins later may outlive the lease. */
  readonly beginsByMs: number;
}

/** Effects that are leased to this process, and wait for a place: the first come first. */
export class Ahead {
  readonly #options: AheadOptions;
  #leased: Leased[] = [];
  /** How many of them have been given out. */
  #next = 0;

  constructor(options: AheadOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#leased.length - this.#next;
  }

  /** @returns those that there is no room for. */
  add(effects: readonly StoredEffect[]): readonly StoredEffect[] {
    const { clock, limits } = this.#options;
    // What the lease has beyond a try is for waiting, and as much for the decision on the answer.
    const beginsByMs = clock.monotonicMs() + (limits.leaseMs - limits.tryTimeoutMs) / 2;
    const fitting = effects.slice(0, Math.max(0, limits.aheadMax - this.size));
    this.#forgetGiven();
    for (const effect of fitting) this.#leased.push({ effect, beginsByMs });
    return effects.slice(fitting.length);
  }

  /** The next whose lease is long enough; of others the lease ends, and they are due again. */
  next(): StoredEffect | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    while (this.#next < this.#leased.length) {
      const { effect, beginsByMs } = this.#leased[this.#next] as Leased;
      this.#next += 1;
      if (nowMs <= beginsByMs) return effect;
    }
    return undefined;
  }

  /** Only when half of the list was given out: effects may come one by one. */
  #forgetGiven(): void {
    if (this.#next * 2 < this.#leased.length) return;
    this.#leased = this.#leased.slice(this.#next);
    this.#next = 0;
  }

  /** All that wait. */
  empty(): readonly StoredEffect[] {
    const left = this.#leased.slice(this.#next).map(({ effect }) => effect);
    this.#leased = [];
    this.#next = 0;
    return left;
  }
}
