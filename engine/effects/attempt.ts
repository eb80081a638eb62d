import type { EffectOutcome, EffectPerformer } from "../effect.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";

/** The process stops: somebody else makes the next try, at once. */
export class TryStopped extends Error {
  constructor() {
    super("The process that made the last try stopped before it had an answer.");
    this.name = "TryStopped";
  }
}

/**
 * One try at an effect, which others may end. A performer that doesn't heed its signal is left to
 * itself: what it brings after its end is asked for again by the next try, under the same key.
 */
export class Attempt {
  readonly #performer: EffectPerformer;
  readonly #effect: StoredEffect;
  readonly #aborting = new AbortController();
  readonly #ended = Promise.withResolvers<never>();

  constructor(performer: EffectPerformer, effect: StoredEffect) {
    this.#performer = performer;
    this.#effect = effect;
    this.#ended.promise.catch(() => undefined);
  }

  /** @throws what the performer throws, or what the try was ended with. */
  async perform(): Promise<EffectOutcome> {
    const { key, input, secret, attempts: attempt } = this.#effect;
    const { signal } = this.#aborting;
    const told = { key, input, secret, attempt, stored: this.#effect, signal };
    return Promise.race([this.#performer.perform(told), this.#ended.promise]);
  }

  /** Ends it with an error; without effect when it is over. */
  end(error: Error): void {
    this.#ended.reject(error);
    this.#aborting.abort();
  }
}
