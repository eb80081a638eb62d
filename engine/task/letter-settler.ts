import { classify } from "../error-policy.ts";
import { invariant } from "../errors.ts";
import type { LettersOfKey } from "../ports/dead-letters.ts";
import type { OpenBatch } from "./batch.ts";
import type { Flusher, FlushOutcome } from "./flusher.ts";
import type { SettledLetter } from "./letter-order.ts";
import type { Redriven, Redriver } from "./redriver.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface LetterSettlerOptions {
  readonly redriver: Redriver;
  readonly flusher: Flusher;
  readonly open: OpenBatch;
  /** undefined: somebody else's. */
  readonly partitionOf: (of: LettersOfKey) => TaskPartition | undefined;
  /** Told of every flush. */
  readonly apply: (outcome: FlushOutcome) => void;
  /** Everything that isn't durable is void. */
  readonly rewind: () => void;
  /** Told of a partition whose letters a durable flush has settled. */
  readonly settled: (partition: TaskPartition) => void;
}

interface Tried {
  readonly kind: FlushOutcome["kind"] | "later";
  /** Keys that had no place in the flush. */
  readonly left: readonly LettersOfKey[];
}

/** Brings what operators have asked for letters to the store, when everything before is durable. */
export class LetterSettler {
  readonly #options: LetterSettlerOptions;

  constructor(options: LetterSettlerOptions) {
    this.#options = options;
  }

  /** See `Task.settle`. */
  async run(of: readonly LettersOfKey[]): Promise<"settled" | "not-here" | "later"> {
    let left: readonly LettersOfKey[] = of.filter(
      (one) => this.#options.partitionOf(one) !== undefined,
    );
    if (left.length === 0) return "not-here";
    while (left.length > 1) {
      const tried = await this.#try(left, "together");
      if (tried.kind !== "committed") break;
      left = tried.left;
    }
    let verdict: "settled" | "later" = "settled";
    for (const one of left) if (!(await this.#alone(one))) verdict = "later";
    return verdict;
  }

  async #alone(of: LettersOfKey): Promise<boolean> {
    const first = await this.#try([of], "alone");
    // What doesn't fit is known now: a second time it is set aside with the record that made it.
    const outcome = first.kind === "unfit" ? await this.#try([of], "alone") : first;
    return outcome.kind === "committed";
  }

  async #try(of: readonly LettersOfKey[], how: "together" | "alone"): Promise<Tried> {
    const { redriver, partitionOf, rewind } = this.#options;
    const keys = new Map<LettersOfKey, TaskPartition>();
    for (const one of of) {
      const partition = partitionOf(one);
      if (partition !== undefined) keys.set(one, partition);
    }
    if (keys.size === 0) return { kind: "later", left: [] };
    let redriven: Redriven;
    try {
      redriven = await redriver.run(keys);
    } catch (error) {
      const verdict = classify(error);
      if (verdict === "rethrow") throw error;
      rewind();
      // Of many it isn't known whose fault it is.
      if (verdict !== "retry" && how === "alone") for (const one of keys.values()) one.halt(error);
      return { kind: "later", left: of };
    }
    return { kind: await this.#flush(redriven.settled), left: redriven.left };
  }

  async #flush(settled: readonly SettledLetter[]): Promise<FlushOutcome["kind"]> {
    if (settled.length === 0) return "committed";
    const { flusher, open, apply } = this.#options;
    const byPartition = this.#byPartition(settled);
    const stands = [...byPartition.keys()].map((partition) => partition.stand());
    const settlements = settled.map(({ settlement }) => settlement);
    const outcome = await flusher.run(open.take(stands, settlements));
    apply(outcome);
    if (outcome.kind !== "committed") return outcome.kind;
    for (const [partition, own] of byPartition) {
      partition.parked.settle(own);
      this.#options.settled(partition);
    }
    return outcome.kind;
  }

  #byPartition(settled: readonly SettledLetter[]): Map<TaskPartition, SettledLetter[]> {
    const byPartition = new Map<TaskPartition, SettledLetter[]>();
    for (const one of settled) {
      const partition = this.#options.partitionOf(one.letter);
      invariant(partition !== undefined, "Letters are settled where their partition is.");
      const own = byPartition.get(partition);
      if (own === undefined) byPartition.set(partition, [one]);
      else own.push(one);
    }
    return byPartition;
  }
}
