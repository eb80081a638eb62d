import type { HealAsk, HealOutcome } from "../ports/generations.ts";

/** What was asked to be healed, and what became of it. */
export class MemoryHeals {
  readonly #asks = new Map<bigint, HealAsk>();
  readonly #outcomes = new Map<bigint, HealOutcome>();
  #last = 0n;

  ask({ projection, generation, key }: Omit<HealAsk, "id">): bigint {
    this.#last += 1n;
    this.#asks.set(this.#last, { id: this.#last, projection, generation, key });
    return this.#last;
  }

  /** Oldest first. */
  asks(limit: number): HealAsk[] {
    return [...this.#asks.values()].slice(0, limit).map((ask) => ({ ...ask }));
  }

  /** The first answer counts. */
  answer(id: bigint, outcome: HealOutcome): void {
    if (this.#asks.delete(id)) this.#outcomes.set(id, { ...outcome });
  }

  /** Nobody will do it any more. */
  answerAll(of: Pick<HealAsk, "projection" | "generation">, outcome: HealOutcome): void {
    for (const { id, projection, generation } of this.#asks.values()) {
      if (projection === of.projection && generation === of.generation) this.answer(id, outcome);
    }
  }

  outcome(id: bigint): HealOutcome | undefined {
    return this.#outcomes.get(id);
  }
}
