import { RecordError } from "../errors.ts";

/** What a flush was refused for. */
export interface UnfitParts {
  /** Keys of rows: which of their records it was isn't known. */
  readonly rows: readonly string[];
  /** Records, by `recordPlace`, each with its error. */
  readonly records: ReadonlyMap<string, RecordError>;
}

/**
 * A flush wrote nothing because of what some of its records have led to. They are folded again: a
 * record that is named fails then, and rows that are named are checked after each of their records.
 */
export class UnfitBatchError extends RecordError {
  readonly parts: UnfitParts;

  constructor(parts: Partial<UnfitParts>, cause: RecordError) {
    super(cause.code, cause.message, { cause });
    this.parts = { rows: parts.rows ?? [], records: parts.records ?? new Map() };
  }
}

/** What flushes were refused for since the last that was not. */
export class Suspects {
  readonly #rows = new Set<string>();
  readonly #records = new Map<string, RecordError>();

  get size(): number {
    return this.#rows.size + this.#records.size;
  }

  /** False when all of it was known: folding again would not help. */
  add({ rows, records }: UnfitParts): boolean {
    const before = this.size;
    for (const row of rows) this.#rows.add(row);
    for (const [place, error] of records) this.#records.set(place, error);
    return this.size > before;
  }

  hasRow(key: string): boolean {
    return this.#rows.has(key);
  }

  errorOf(place: string): RecordError | undefined {
    return this.#records.get(place);
  }

  clear(): void {
    this.#rows.clear();
    this.#records.clear();
  }
}

export const recordPlace = (at: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string => `${at.topic}/${at.partition}@${at.offset}`;
