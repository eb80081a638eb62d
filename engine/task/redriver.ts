import { classify } from "../error-policy.ts";
import { invariant, RecordError } from "../errors.ts";
import type { DeadLetters, LettersOfKey, StoredDeadLetter } from "../ports/dead-letters.ts";
import { RecordCursor } from "../record-batch/cursor.ts";
import { encodeRecordBatch } from "../record-batch/writer.ts";
import type { RowChange } from "../ports/codec.ts";
import type { OpenBatch, TaskStore } from "./batch.ts";
import { Coordinates, isNewerChange } from "./coordinates.ts";
import { foldError } from "./dead-letter.ts";
import type { IntakeSource } from "./intake.ts";
import {
  type Attempt,
  type Dispatched,
  dispatched,
  type SettledLetter,
  settleInOrder,
  type TriedLetter,
} from "./letter-order.ts";
import type { TaskLimits } from "./limits.ts";
import { loadMissing } from "./missing-rows.ts";
import type { Pipeline } from "./pipeline.ts";
import { RecordFold } from "./record-fold.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface RedriverOptions {
  readonly pipeline: Pipeline;
  readonly store: TaskStore;
  /** Empty when `run` is called; afterwards it holds what the letters' folds have made. */
  readonly open: OpenBatch;
  readonly limits: TaskLimits;
  /** Without them there is nothing to redrive. */
  readonly deadLetters: DeadLetters | undefined;
}

/**
 * Takes a key's open letters up again, in order, through the same intake and fold as records that
 * arrive: what they make stands in the open batch, and what becomes of the letters is answered.
 */
export class Redriver {
  readonly #options: RedriverOptions;
  readonly #fold: RecordFold;
  readonly #cursor = new RecordCursor();

  constructor(options: RedriverOptions) {
    this.#options = options;
    this.#fold = new RecordFold(options);
  }

  /**
   * Nothing is folded before all is at hand: a failure of registry or store leaves everything as
   * it was.
   *
   * Nothing is tried twice here: who asked asks again, and other keys needn't wait for an outage.
   *
   * As many letters are tried as make a chunk; what was asked for goes on at the next one.
   *
   * @throws what registry and store do; nothing is folded then.
   */
  async run(partition: TaskPartition, of: LettersOfKey): Promise<readonly SettledLetter[]> {
    const { pipeline, store, limits } = this.#options;
    pipeline.staged.clear();
    try {
      const letters = await this.#open(of);
      const source = new LetterSourceLane(partition);
      const attempts: Attempt[] = [];
      for (const one of dispatched(letters, limits.chunkRecordsMax)) {
        attempts.push(await this.#attempt(source, one));
      }
      await loadMissing(pipeline.staged, (keys) => store.load(keys));
      return settleInOrder(attempts, (attempt) => this.#apply(partition, attempt));
    } finally {
      pipeline.staged.clear();
    }
  }

  async #open(of: LettersOfKey): Promise<readonly StoredDeadLetter[]> {
    const { deadLetters, limits } = this.#options;
    const lettersMax = limits.failedLettersMax + limits.waitingLettersMax;
    return deadLetters ? deadLetters.open(of, Math.max(1, lettersMax)) : [];
  }

  async #attempt(source: LetterSourceLane, { how, letter }: Dispatched): Promise<Attempt> {
    if (how !== "try") return { how, letter };
    const { staged, intake } = this.#options.pipeline;
    source.standAt(letter);
    this.#cursor.reset(encodeRecordBatch({ baseOffset: letter.offset, records: [letter] }), 0);
    invariant(this.#cursor.next(), "A batch of one record has a record.");
    try {
      let taken = intake.take(this.#cursor, source);
      while (taken === "learn") {
        await intake.learn();
        taken = intake.take(this.#cursor, source);
      }
      const at = taken === "staged" ? staged.length - 1 : undefined;
      return { letter, how: "try", at, error: undefined };
    } catch (error) {
      if (error instanceof RecordError) return { letter, how: "try", at: undefined, error };
      throw error;
    }
  }

  #apply(partition: TaskPartition, { letter, at }: TriedLetter): RecordError | undefined {
    if (at === undefined) return undefined;
    try {
      this.#fold.apply(at, partition);
      this.#pass(partition, at);
      return undefined;
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      return foldError(error, partition.name, Number(letter.offset));
    }
  }

  /** A copy of a change that was decoded only now must be known when it arrives. */
  #pass({ staged, folded }: TaskPartition, at: number): void {
    if (staged.kind !== "change") return;
    const { snapshot, commitLsn, order } = this.#options.pipeline.staged.events[at] as RowChange;
    if (snapshot || !isNewerChange(staged, commitLsn, order)) return;
    staged.commitLsn = commitLsn;
    staged.order = order;
    folded.copy(staged);
  }
}

/** The partition as the letters of one key see it: no change among them was passed yet. */
class LetterSourceLane implements IntakeSource {
  readonly topic: string;
  readonly partition: number;
  readonly logId: string;
  readonly name: string;
  readonly staged = new Coordinates();

  constructor({ topic, partition, logId, name, staged }: TaskPartition) {
    this.topic = topic;
    this.partition = partition;
    this.logId = logId;
    this.name = name;
    this.staged.copy(staged);
    this.staged.commitLsn = -1n;
    this.staged.order = 0;
  }

  standAt({ source }: StoredDeadLetter): void {
    if (source.kind === "lane") this.staged.nextSequence = Number(source.sequence);
  }
}
