import type { RecordError } from "../errors.ts";
import type { LetterSource } from "../ports/dead-letters.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { RecordCursor } from "../record-batch/cursor.ts";
import type { OpenBatch } from "./batch.ts";
import { deadLetter } from "./dead-letter.ts";
import { recordKeyOf } from "./intake.ts";
import type { LettersMax } from "./parked-keys.ts";
import type { TaskPartition } from "./task-partition.ts";

export interface LetterBoxOptions {
  readonly consumer: string;
  readonly generation: number;
  readonly open: OpenBatch;
  readonly metrics: Metrics;
  readonly max: LettersMax;
}

/**
 * Causes for which the producer is at fault: it has written what it had not agreed on. Nothing makes
 * such a record work but a schema, or an edit.
 */
export const contractBreaches: ReadonlySet<string> = new Set([
  "unframed",
  "schema-unknown",
  "schema-incompatible",
  "decode",
  "change-invalid",
]);

/** Sets records aside in the open batch, and parks their keys. */
export class LetterBox {
  readonly #options: LetterBoxOptions;

  constructor(options: LetterBoxOptions) {
    this.#options = options;
    const { consumer, metrics } = options;
    // A rate can't be taken of a counter that isn't there.
    for (const cause of contractBreaches) {
      metrics.count("contract_breaches_total", 0, { consumer, cause });
    }
  }

  /**
   * Asked before anything of the record is passed.
   *
   * @throws FatalError `failed-letters`, `waiting-letters` when the partition holds as many as may
   * be.
   */
  assertRoom(partition: TaskPartition, disposition: "failed" | "waiting"): void {
    const { max } = this.#options;
    const full = partition.parked.fullOf(disposition, { partition: partition.name, max });
    if (full) throw full;
  }

  /** Takes back what was set aside from here on: the partition has stopped before it. */
  takeBack({ topic, partition, parked }: TaskPartition, fromOffset: number): void {
    const { open } = this.#options;
    open.letters = open.letters.filter(
      (letter) =>
        letter.topic !== topic || letter.partition !== partition || letter.offset < fromOffset,
    );
    parked.rewind(fromOffset);
  }

  /** Sets the record aside that the cursor stands at; without an error it waits behind another. */
  put(
    cursor: RecordCursor,
    partition: TaskPartition,
    why: { readonly error: RecordError | undefined; readonly source: LetterSource },
  ): void {
    const { consumer, generation, open, metrics } = this.#options;
    const disposition = why.error ? "failed" : "waiting";
    const letter = { key: recordKeyOf(cursor), offset: cursor.offset, disposition } as const;
    partition.parked.add(letter);
    open.letters.push(deadLetter(cursor, partition, { consumer, generation, ...why }));
    metrics.count("dead_letters_total", 1, { consumer });
    const cause = why.error?.code ?? "";
    if (contractBreaches.has(cause)) {
      metrics.count("contract_breaches_total", 1, { consumer, cause });
    }
  }
}
