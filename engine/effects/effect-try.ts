import { backoffMs } from "../backoff.ts";
import type { Probe } from "../crash-points.ts";
import type { Decider } from "../decision/decider.ts";
import type { CommandCall } from "../decision/definition.ts";
import type { CommandResult, Origin } from "../decision/outcome.ts";
import type { EffectOutcome } from "../effect.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { FatalError, InvariantViolation, TransientError } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { EffectLedger, StoredEffect } from "../ports/effect-ledger.ts";
import { retried } from "../task/retried.ts";
import { TryStopped } from "./attempt.ts";
import { carriedOrigin } from "./carried-origin.ts";
import type { EffectLimits } from "./limits.ts";
import { settledOnly } from "./settle-effect.ts";

export interface TriesOptions {
  readonly ledger: Pick<EffectLedger, "postpone" | "giveUp">;
  readonly decider: Pick<Decider, "execute">;
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: Probe;
  readonly limits: EffectLimits;
  /** Ends waiting for a store that can't be reached. */
  readonly signal: AbortSignal;
  /** The process is as good as dead: nothing more is done. */
  readonly dead: AbortSignal;
}

/** What became of a try; `left`: nobody knows, and the effect is due again when its lease ends. */
export type TryOutcome =
  | { readonly outcome: "done" | "left" }
  | { readonly outcome: "postponed"; readonly afterMs: number }
  | { readonly outcome: "failed"; readonly error: string };

/**
 * Makes tries, and records what they lead to: the decision on an answer and the answer itself are
 * one append. A decision is made on the same answer as often as it takes while the process lives;
 * afterwards the other side is asked again, under the same key.
 */
export class Tries {
  readonly #options: TriesOptions;

  constructor(options: TriesOptions) {
    this.#options = options;
  }

  /** @throws only what nothing may catch. */
  async make(effect: StoredEffect, perform: () => Promise<EffectOutcome>): Promise<TryOutcome> {
    let answered: EffectOutcome;
    try {
      answered = await perform();
    } catch (error) {
      return this.#unanswered(effect, error);
    }
    this.#options.probe.at("effect-performed");
    if (this.#options.dead.aborted) return left;
    return this.#answered(effect, answered);
  }

  async #unanswered(effect: StoredEffect, error: unknown): Promise<TryOutcome> {
    if (this.#options.dead.aborted) return left;
    if (error instanceof TryStopped) return this.#postpone(effect, { afterMs: 0, error });
    const verdict = classify(error);
    if (verdict === "rethrow") throw error;
    return verdict === "retry"
      ? this.#tryAgain(effect, error)
      : this.#giveUp(effect, reasonOf(error));
  }

  /** Tries are counted anew each time that an operator has a failed effect tried again. */
  #tryAgain(effect: StoredEffect, error: unknown): Promise<TryOutcome> {
    const { backoff } = this.#options.limits;
    const { attempts } = effect;
    if (attempts % backoff.attemptsMax === 0) {
      return this.#giveUp(effect, `Tried ${attempts} times, last: ${reasonOf(error)}`);
    }
    const afterMs = backoffMs(attempts % backoff.attemptsMax, backoff, this.#options.random);
    return this.#postpone(effect, { afterMs, error });
  }

  async #answered(effect: StoredEffect, { answer, follows }: EffectOutcome): Promise<TryOutcome> {
    const { decider, probe } = this.#options;
    const { call, ...followUps } = follows ?? settledOnly;
    const more = { ...followUps, settles: { key: effect.key, answer } };
    try {
      await this.#persistently(async () =>
        assertDecided(
          await decider.execute(call as CommandCall<never>, originOf(effect), more),
          effect,
        ),
      );
    } catch (error) {
      return this.#undecided(effect, error);
    }
    probe.at("effect-settled");
    return { outcome: "done" };
  }

  async #undecided(effect: StoredEffect, error: unknown): Promise<TryOutcome> {
    const verdict = classify(error);
    if (verdict === "rethrow") throw error;
    if (this.#options.dead.aborted || verdict === "retry") return left;
    // Nothing is wrong with the effect: where the store can't go on, an operator is at work.
    if (error instanceof FatalError) return this.#tryAgain(effect, error);
    return this.#giveUp(effect, `The answer could not be decided on: ${reasonOf(error)}`);
  }

  async #postpone(
    { key }: StoredEffect,
    { afterMs, error }: { readonly afterMs: number; readonly error: unknown },
  ): Promise<TryOutcome> {
    const failure = { afterMs, error: reasonOf(error) };
    return this.#noted({ outcome: "postponed", afterMs }, (ledger) =>
      ledger.postpone(key, failure),
    );
  }

  async #giveUp({ key }: StoredEffect, error: string): Promise<TryOutcome> {
    return this.#noted({ outcome: "failed", error }, (ledger) => ledger.giveUp(key, error));
  }

  /** What the ledger can't be told, the end of the lease tells. */
  async #noted(
    outcome: TryOutcome,
    note: (ledger: TriesOptions["ledger"]) => Promise<void>,
  ): Promise<TryOutcome> {
    try {
      await this.#persistently(() => note(this.#options.ledger));
      return outcome;
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      return left;
    }
  }

  #persistently<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock, random, signal, limits } = this.#options;
    return retried({ backoff: limits.storeBackoff, clock, random, signal }, work);
  }
}

const left: TryOutcome = { outcome: "left" };

/**
 * Of its own for each try: two tries that overlap meet each other in the store's conditions, and
 * one whose append was heard though its answer was lost finds it there.
 */
const originOf = (effect: StoredEffect): Origin =>
  carriedOrigin(effect, `effect:${effect.key}:${effect.attempts}`);

function assertDecided(result: CommandResult, { key }: StoredEffect): void {
  switch (result.outcome) {
    case "accepted":
    case "refused":
      return;
    case "held":
      throw new TransientError("held", `The event store is held by ${result.by}.`);
    case "repeated":
      throw new InvariantViolation(`The answer to ${key} was decided under a client's key.`);
  }
}
