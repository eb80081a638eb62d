/**
 * Gathers what is to be written or looked up one by one into batches: while one is on its way, the
 * next fills. Who adds something is told when its batch is done, or why it isn't.
 */
export class Gathering<Item> {
  readonly #write: (items: readonly Item[]) => Promise<void>;
  readonly #batchMax: number;
  #waiting: { readonly item: Item; readonly told: PromiseWithResolvers<void> }[] = [];
  #writing = false;

  constructor(options: {
    readonly write: (items: readonly Item[]) => Promise<void>;
    /** Items in one batch. */
    readonly batchMax: number;
  }) {
    this.#write = options.write;
    this.#batchMax = options.batchMax;
  }

  /** Each caller waits for its own: what it may have on its way bounds what waits here. */
  add(item: Item): Promise<void> {
    const told = Promise.withResolvers<void>();
    this.#waiting.push({ item, told });
    if (!this.#writing) void this.#run();
    return told.promise;
  }

  /** Never rejects: a batch that fails, fails for those who added to it. */
  async #run(): Promise<void> {
    this.#writing = true;
    // Those that are added in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#batchMax);
      try {
        await this.#write(batch.map(({ item }) => item));
        for (const { told } of batch) told.resolve();
      } catch (error) {
        for (const { told } of batch) told.reject(error);
      }
    }
    this.#writing = false;
  }
}
