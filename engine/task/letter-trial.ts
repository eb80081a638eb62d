import { epoch, type Position } from "../position.ts";
import type {
  DeadLetters,
  LettersOfKey,
  OpenLetters,
  OpenLettersMax,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
import { OpenBatch, type TaskStore } from "./batch.ts";
import type { TaskLimits } from "./limits.ts";
import type { Pipeline } from "./pipeline.ts";
import { Redriver } from "./redriver.ts";
import type { SettledLetter } from "./letter-order.ts";
import { TaskPartition } from "./task-partition.ts";

/** What would become of a letter. */
export interface TrialOutcome {
  readonly letter: StoredDeadLetter;
  /** undefined: it would work. */
  readonly fault: { readonly cause: string; readonly message: string } | undefined;
}

export interface LetterTrialOptions {
  /** Of the letters' consumer, used for nothing else: it keeps what the trial has folded. */
  readonly pipeline: Pipeline;
  readonly store: Pick<TaskStore, "load">;
  readonly limits: TaskLimits;
  readonly deadLetters: Pick<DeadLetters, "open">;
  /** Where the consumer stands in a partition; undefined: nothing of it was ever applied. */
  readonly positionOf: (of: LettersOfKey) => Position | undefined;
}

/**
 * Decodes and folds letters of one build as a redrive of them would: each key's in order, with what
 * waits behind them, on the rows as they are stored. Nothing is written. What comes after the fold
 * (the decisions of a processor, a projection's notices) isn't tried.
 *
 * @param chosen Failed letters.
 * @returns Those that were tried, which leaves out what stands behind a letter that would fail.
 * @throws what registry and store do.
 */
export async function tryLetters(
  { pipeline, store, limits, deadLetters, positionOf }: LetterTrialOptions,
  chosen: readonly StoredDeadLetter[],
): Promise<readonly TrialOutcome[]> {
  const redriver = new Redriver({
    pipeline,
    store,
    limits,
    open: new OpenBatch(),
    deadLetters: new AskedInTrial(deadLetters, chosen),
  });
  const outcomes: TrialOutcome[] = [];
  let keys = distinctKeys(chosen);
  while (keys.length > 0) {
    const of = new Map(keys.map((key) => [key, partitionOf(key, positionOf(key))]));
    const { settled, left } = await redriver.run(of);
    outcomes.push(...settled.flatMap(outcomeOf));
    keys = left;
  }
  return outcomes;
}

function outcomeOf({ letter, settlement }: SettledLetter): TrialOutcome[] {
  if (settlement.tries === 0) return [];
  const { failure } = settlement;
  return [{ letter, fault: failure && { cause: failure.cause, message: failure.message } }];
}

/** The open letters as they would be if the chosen ones were asked to be redriven. */
class AskedInTrial implements Pick<DeadLetters, "open"> {
  readonly #letters: Pick<DeadLetters, "open">;
  readonly #chosen: ReadonlyMap<bigint, StoredDeadLetter>;

  constructor(letters: Pick<DeadLetters, "open">, chosen: readonly StoredDeadLetter[]) {
    this.#letters = letters;
    this.#chosen = new Map(chosen.map((letter) => [letter.id, asked(letter)]));
  }

  async open(of: readonly LettersOfKey[], max: OpenLettersMax): Promise<OpenLetters> {
    const keyed = of.filter(({ key }) => key !== null);
    const found =
      keyed.length === 0 ? { letters: [], more: false } : await this.#letters.open(keyed, max);
    const letters = found.letters.map((one) => (this.#chosen.has(one.id) ? asked(one) : one));
    return { letters: [...letters, ...this.#keyless(of)], more: found.more };
  }

  /** The store tells of records without a key only where they are asked for. */
  #keyless(of: readonly LettersOfKey[]): StoredDeadLetter[] {
    const places = new Set(of.filter(({ key }) => key === null).map(placeOf));
    return [...this.#chosen.values()].filter((one) => one.key === null && places.has(placeOf(one)));
  }
}

const asked = (letter: StoredDeadLetter): StoredDeadLetter => ({
  ...letter,
  asked: { action: "redrive", reason: undefined },
});

const placeOf = ({ topic, partition }: LettersOfKey): string => `${topic}/${partition}`;

function distinctKeys(letters: readonly StoredDeadLetter[]): readonly LettersOfKey[] {
  const keys = new Map<string, LettersOfKey>();
  for (const letter of letters) {
    const { consumer, generation, topic, partition, key } = letter;
    const name = `${placeOf(letter)}/${key === null ? "" : `=${Buffer.from(key).toString("hex")}`}`;
    if (!keys.has(name)) keys.set(name, { consumer, generation, topic, partition, key });
  }
  return [...keys.values()];
}

/** Nobody owns it: what a trial makes is never flushed. */
function partitionOf(
  { topic, partition }: LettersOfKey,
  position: Position | undefined,
): TaskPartition {
  return new TaskPartition({
    owned: { topic, partition, epoch: epoch(0), position },
    logId: position?.logId ?? "",
    startOffset: 0,
    holdsFirstRecord: false,
  });
}
