import { backoffMs } from "../backoff.ts";
import type { Probe } from "../crash-points.ts";
import type { EffectOutcome, EffectPerformer } from "../effect.ts";
import { classify, reasonOf } from "../error-policy.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EffectLedger, StoredEffect } from "../ports/effect-ledger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { Wakeup } from "../runner/wakeup.ts";
import { Ahead } from "./ahead.ts";
import { Attempt, TryStopped } from "./attempt.ts";
import type { TryOutcome, Tries } from "./effect-try.ts";
import type { EffectLimits } from "./limits.ts";
import { TryTimes } from "./try-times.ts";
import type { Beginner, Room } from "./wake-ups.ts";

/** Told of an effect that was given up. */
export type OnFailed = (effect: Pick<StoredEffect, "key" | "kind">, error: string) => void;

export interface EffectLaneOptions {
  readonly performer: EffectPerformer;
  readonly ledger: Pick<EffectLedger, "take">;
  readonly tries: Tries;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly probe: Probe;
  readonly limits: EffectLimits;
  readonly onFailed: OnFailed;
}

/**
 * Performs the effects of one kind. Each try has a place of its own, so that one that is slow keeps
 * one place, and nobody waits for the slowest of a batch.
 */
export class EffectLane implements Beginner {
  readonly #options: EffectLaneOptions;
  readonly #wakeup = new Wakeup();
  readonly #times: TryTimes;
  readonly #ahead: Ahead;
  readonly #under = new Map<Attempt, Promise<void>>();
  readonly #fatal = Promise.withResolvers<never>();
  #looking: Promise<void> = Promise.resolve();
  #stopping = false;
  /** When the first of those comes that were postponed here, by the monotonic clock. */
  #againAtMs = Infinity;
  #failures = 0;
  #reason: string | undefined;

  constructor(options: EffectLaneOptions) {
    this.#options = options;
    const { clock, limits } = options;
    this.#ahead = new Ahead(options);
    this.#times = new TryTimes({ clock, timeoutMs: limits.tryTimeoutMs });
    this.#fatal.promise.catch(() => undefined);
  }

  get kind(): string {
    return this.#options.performer.kind;
  }

  /** Why it can't take effects now. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** There may be some. */
  readonly wake = (): void => this.#wakeup.call();

  room(): Room {
    const { aheadMax, leaseMs } = this.#options.limits;
    return { effects: this.#stopping ? 0 : aheadMax - this.#ahead.size, leaseMs };
  }

  begin(effects: readonly StoredEffect[]): void {
    try {
      this.#options.probe.at("effects-taken");
    } catch (error) {
      // Not the caller's: its append is made.
      return this.#fatal.reject(error);
    }
    for (const effect of this.#ahead.add(effects)) this.#giveBack(effect);
    if (this.#stopping) this.#giveBackAhead();
    else this.#beginAhead();
  }

  /** Works until `stop`. Rejects with what nothing may catch. */
  run(): Promise<void> {
    this.#looking = this.#work();
    return Promise.race([this.#looking, this.#fatal.promise]);
  }

  /** Takes nothing more. */
  stop(): void {
    this.#stopping = true;
    this.#giveBackAhead();
    this.wake();
  }

  /** Resolves when no try is under way, and none will be. */
  async idle(): Promise<void> {
    await this.#looking.catch(() => undefined);
    while (this.#under.size > 0) await Promise.all(this.#under.values());
    this.#times[Symbol.dispose]();
  }

  /** Ends the tries that are under way. */
  abort(): void {
    for (const attempt of this.#under.keys()) attempt.end(new TryStopped());
  }

  async #work(): Promise<void> {
    const { clock, limits } = this.#options;
    while (!this.#stopping) {
      this.#beginAhead();
      const room = limits.concurrencyMax - this.#under.size;
      if (room <= 0) {
        await this.#wakeup.wait(clock);
        continue;
      }
      const waitMs = await this.#take(Math.min(room, limits.batchMax));
      if (waitMs > 0) await this.#wakeup.wait(clock, waitMs);
    }
  }

  /** @returns Milliseconds after which it makes sense to look again. */
  async #take(limit: number): Promise<number> {
    const { ledger, limits, probe } = this.#options;
    try {
      const { leaseMs } = limits;
      const taken = await ledger.take({ kinds: [this.kind], limit, leaseMs });
      this.#failures = 0;
      this.#reason = undefined;
      if (taken.length > 0) probe.at("effects-taken");
      for (const effect of taken) this.#begin(effect);
      return taken.length === limit ? 0 : this.#restMs();
    } catch (error) {
      return this.#failed(error);
    }
  }

  #restMs(): number {
    const { clock, limits } = this.#options;
    const waitMs = this.#againAtMs - clock.monotonicMs();
    if (waitMs <= 0) this.#againAtMs = Infinity;
    return Math.max(1, Math.min(limits.pollMs, waitMs));
  }

  #failed(error: unknown): number {
    if (classify(error) === "rethrow") throw error;
    const { metrics, limits, random } = this.#options;
    metrics.count("effect_ledger_failures_total", 1);
    this.#failures += 1;
    this.#reason = `Effects ${this.kind} can't be taken: ${reasonOf(error)}`;
    return Math.max(1, backoffMs(this.#failures, limits.storeBackoff, random));
  }

  #beginAhead(): void {
    const { limits } = this.#options;
    while (this.#under.size < limits.concurrencyMax) {
      const effect = this.#ahead.next();
      if (effect === undefined) return;
      this.#begin(effect);
    }
  }

  #giveBackAhead(): void {
    for (const effect of this.#ahead.empty()) this.#giveBack(effect);
  }

  #begin(effect: StoredEffect): void {
    const attempt = new Attempt(this.#options.performer, effect);
    this.#keep(
      attempt,
      this.#try(effect, () => this.#performed(attempt)),
    );
  }

  /** It is due at once, wherever somebody performs it. */
  #giveBack(effect: StoredEffect): void {
    const attempt = new Attempt(this.#options.performer, effect);
    this.#keep(
      attempt,
      this.#try(effect, () => Promise.reject(new TryStopped())),
    );
  }

  #keep(attempt: Attempt, trying: Promise<void>): void {
    const { limits } = this.#options;
    const over = trying.catch((error: unknown) => this.#fatal.reject(error));
    const freed = over.finally(() => {
      const wasFull = this.#under.size >= limits.concurrencyMax;
      this.#under.delete(attempt);
      if (!wasFull || this.#stopping) return;
      this.#beginAhead();
      if (this.#under.size < limits.concurrencyMax) this.wake();
    });
    this.#under.set(attempt, freed);
  }

  async #try(effect: StoredEffect, perform: () => Promise<EffectOutcome>): Promise<void> {
    const { tries, clock, metrics, onFailed } = this.#options;
    const { kind } = this;
    const beganMs = clock.monotonicMs();
    const result: TryOutcome = await tries.make(effect, perform);
    const endedMs = clock.monotonicMs();
    metrics.observe("effect_seconds", (endedMs - beganMs) / 1_000, { kind });
    metrics.count("effects_total", 1, { kind, outcome: result.outcome });
    if (result.outcome === "failed") onFailed(effect, result.error);
    if (result.outcome !== "postponed") return;
    this.#againAtMs = Math.min(this.#againAtMs, endedMs + result.afterMs);
    if (!this.#stopping) this.wake();
  }

  async #performed(attempt: Attempt): Promise<EffectOutcome> {
    this.#times.begin(attempt);
    try {
      return await attempt.perform();
    } finally {
      this.#times.end(attempt);
    }
  }
}
