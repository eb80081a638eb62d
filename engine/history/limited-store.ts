import { FatalError } from "../errors.ts";
import { MemoryReadModelStore } from "../memory/read-model-store.ts";
import type { ReadModelFlush } from "../ports/read-model-store.ts";

/** A read model in this process' memory that refuses to grow above so many rows. */
export class LimitedStore extends MemoryReadModelStore {
  readonly #rowsMax: number;
  #rows = 0;
  #refusal: FatalError | undefined;

  constructor(rowsMax: number) {
    super();
    this.#rowsMax = rowsMax;
  }

  /** Why it has refused to grow, whoever the error was told to; undefined: it has not. */
  get refusal(): FatalError | undefined {
    return this.#refusal;
  }

  /** Rows that are held. */
  get rows(): number {
    return this.#rows;
  }

  override async flush(flush: ReadModelFlush): Promise<void> {
    const rows = flush.digests.reduce((sum, digest) => sum + digest.rows, this.#rows);
    if (rows > this.#rowsMax) {
      this.#refusal ??= tooLarge(flush.generation.projection, this.#rowsMax);
      throw this.#refusal;
    }
    await super.flush(flush);
    this.#rows = rows;
  }
}

const tooLarge = (projection: string, rowsMax: number): FatalError =>
  new FatalError(
    "history-too-large",
    `${projection} has more than ${rowsMax} rows at this place, which is what is held in memory.`,
    "Ask for one key, or raise the maximum where the memory allows it.",
  );
