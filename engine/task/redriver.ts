import { classify } from "../error-policy.ts";
import { invariant, RecordError } from "../errors.ts";
import type {
  DeadLetters,
  LettersOfKey,
  OpenLetters,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
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
import { keyText } from "./parked-keys.ts";
import type { Pipeline } from "./pipeline.ts";
import { RecordFold } from "./record-fold.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface RedriverOptions {
  readonly pipeline: Pipeline;
  readonly store: Pick<TaskStore, "load" | "check">;
  /** Empty when `run` is called; afterwards it holds what the letters' folds have made. */
  readonly open: OpenBatch;
  readonly limits: TaskLimits;
  /** Without them there is nothing to redrive. */
  readonly deadLetters: Pick<DeadLetters, "open"> | undefined;
}

/** What became of the letters that were taken up. */
export interface Redriven {
  readonly settled: readonly SettledLetter[];
  /** Keys of which nothing was taken up: they didn't fit any more. */
  readonly left: readonly LettersOfKey[];
}

/**
 * Takes keys' open letters up again, each key's in order, through the same intake and fold as records
 * that arrive: what they make stands in the open batch, and what becomes of the letters is answered.
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
   * As many letters are tried as make a chunk: whole keys, and of a key that alone is more a part,
   * which asks on for the rest.
   *
   * @param keys Each with its partition.
   * @throws what registry and store do; nothing is folded then.
   */
  async run(keys: ReadonlyMap<LettersOfKey, TaskPartition>): Promise<Redriven> {
    const { pipeline, store, limits } = this.#options;
    pipeline.staged.clear();
    try {
      const { taken, left } = await this.#taken([...keys.keys()]);
      const walks: { readonly partition: TaskPartition; readonly attempts: Attempt[] }[] = [];
      for (const { of, letters, isCut } of taken) {
        const partition = keys.get(of);
        invariant(partition !== undefined, "Every key that is taken up was asked for.");
        const source = new LetterSourceLane(partition);
        const attempts: Attempt[] = [];
        for (const one of dispatched(letters, { tries: limits.chunkRecordsMax, isCut })) {
          attempts.push(await this.#attempt(source, one));
        }
        walks.push({ partition, attempts });
      }
      await loadMissing(pipeline.staged, (rows) => store.load(rows));
      const settled = walks.flatMap(({ partition, attempts }) =>
        settleInOrder(attempts, (attempt) => this.#apply(partition, attempt)),
      );
      return { settled, left };
    } finally {
      pipeline.staged.clear();
    }
  }

  async #taken(
    keys: readonly LettersOfKey[],
  ): Promise<{ readonly taken: readonly TakenKey[]; readonly left: readonly LettersOfKey[] }> {
    const { deadLetters, limits } = this.#options;
    if (!deadLetters) return { taken: [], left: [] };
    const { chunkRecordsMax, batchBytesMax: bytes } = limits;
    // One more than can be tried asks on; without a second letter there would be none to do so.
    const { letters, more } = await deadLetters.open(keys, { letters: chunkRecordsMax + 1, bytes });
    return wholeKeys(keys, { letters, more, chunkRecordsMax });
  }

  async #attempt(source: LetterSourceLane, one: Dispatched): Promise<Attempt> {
    if (one.how !== "try") return one;
    const { how, letter } = one;
    const { staged, intake } = this.#options.pipeline;
    source.standAt(letter);
    const value = letter.edit === undefined ? letter.value : letter.edit.value;
    const records = [{ ...letter, value }];
    this.#cursor.reset(encodeRecordBatch({ baseOffset: letter.offset, records }), 0);
    invariant(this.#cursor.next(), "A batch of one record has a record.");
    try {
      let taken = intake.take(this.#cursor, source);
      while (taken === "learn") {
        await intake.learn();
        taken = intake.take(this.#cursor, source);
      }
      const at = taken === "staged" ? staged.length - 1 : undefined;
      return { letter, how, at, error: undefined };
    } catch (error) {
      if (error instanceof RecordError) return { letter, how, at: undefined, error };
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

interface TakenKey {
  readonly of: LettersOfKey;
  readonly letters: readonly StoredDeadLetter[];
  readonly isCut: boolean;
}

/** Leaves the last key out where it lacks its end, unless it is the only one. */
function wholeKeys(
  keys: readonly LettersOfKey[],
  found: OpenLetters & { readonly chunkRecordsMax: number },
): { readonly taken: readonly TakenKey[]; readonly left: readonly LettersOfKey[] } {
  const byKey = new Map<string, StoredDeadLetter[]>();
  for (const letter of found.letters) {
    const of = keyNameOf(letter);
    const own = byKey.get(of);
    if (own === undefined) byKey.set(of, [letter]);
    else own.push(letter);
  }
  const isCut = found.more || found.letters.length > found.chunkRecordsMax;
  const last = [...byKey.keys()].at(-1);
  const all = keys.flatMap((of) => {
    const letters = byKey.get(keyNameOf(of));
    return letters === undefined ? [] : [{ of, letters, isCut: false }];
  });
  if (!isCut || last === undefined) return { taken: all, left: [] };
  const [only] = all;
  if (all.length === 1 && only !== undefined) {
    return { taken: [{ ...only, isCut: only.letters.length > 1 }], left: [] };
  }
  const taken = all.filter(({ of }) => keyNameOf(of) !== last);
  const names = new Set(taken.map(({ of }) => keyNameOf(of)));
  return { taken, left: keys.filter((of) => !names.has(keyNameOf(of))) };
}

const keyNameOf = ({ topic, partition, key }: LettersOfKey): string =>
  `${topic}/${partition}/${key === null ? "" : `=${keyText(key)}`}`;

/** The partition as the letters of one key see it: no change among them was passed yet. */
export class LetterSourceLane implements IntakeSource {
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
