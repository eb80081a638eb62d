import type { EffectOutcome, EffectPerformer } from "../effect.ts";
import { TransientError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoredEffect } from "../ports/effect-ledger.ts";

/** The process stops: somebody else makes the next try, at once. */
export class TryStopped extends Error {
  constructor() {
    super("The process that made the last try stopped before it had an answer.");
    this.name = "TryStopped";
  }
}

export interface AttemptOptions {
  readonly performer: EffectPerformer;
  readonly effect: StoredEffect;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * One try at an effect, bounded in time. A performer that doesn't heed its signal is left to
 * itself: what it brings after its time is asked for again by the next try, under the same key.
 */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #ending = new AbortController();
  readonly #stopped = Promise.withResolvers<never>();

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#stopped.promise.catch(() => undefined);
  }

  /** @throws TryStopped, TransientError `no-answer` after its time, and what the performer throws. */
  async perform(): Promise<EffectOutcome> {
    const { performer, effect } = this.#options;
    const over = new AbortController();
    try {
      const told = { key: effect.key, input: effect.input, secret: effect.secret };
      const { signal } = this.#ending;
      const performed = performer.perform({
        ...told,
        attempt: effect.attempts,
        stored: effect,
        signal,
      });
      return await Promise.race([performed, this.#stopped.promise, this.#timeout(over.signal)]);
    } catch (error) {
      this.#ending.abort();
      throw error;
    } finally {
      over.abort();
    }
  }

  /** Ends it now, if it hasn't ended. */
  stop(): void {
    this.#stopped.reject(new TryStopped());
  }

  async #timeout(over: AbortSignal): Promise<never> {
    const { clock, timeoutMs } = this.#options;
    await clock.sleep(timeoutMs, over);
    throw new TransientError("no-answer", `There was no answer within ${timeoutMs} ms.`);
  }
}
