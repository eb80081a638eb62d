import type { AnyRow } from "../columns.ts";
import { MemoryReadModelReader } from "../memory/read-model-reader.ts";
import type { Answer, CountRows, FindRows, Page } from "../ports/read-model-reader.ts";
import type { AnyProjection } from "../projection.ts";
import { KeyHistory, type PastRow } from "./refold-key.ts";
import { PastModels } from "./read-model-at.ts";
import type { HistorySource } from "./source.ts";

export interface HistoryOptions extends HistorySource {
  readonly projections: readonly AnyProjection[];
  /** Rows of a model that is asked for whole. */
  readonly rowsMax: number;
  /** Whole models held or being made at the same time. */
  readonly modelsMax: number;
  /** How long a whole model is held, in milliseconds. */
  readonly keepMs: number;
  /** See `CutsOptions`. */
  readonly captureGraceMs: number;
}

export const defaultHistoryLimits = {
  rowsMax: 200_000,
  modelsMax: 4,
  keepMs: 10_000,
  captureGraceMs: 5_000,
} as const;

/** Read models as of a time, through the queries that read the present. */
export interface PastReader {
  get(projection: string, key: string): Promise<Answer<AnyRow | undefined>>;
  find(projection: string, query: FindRows): Promise<Answer<Page>>;
  count(projection: string, query: CountRows): Promise<Answer<number>>;
}

/** The past of projections: rows, and whole read models, as of any settled time. */
export class History implements Disposable {
  readonly rows: KeyHistory;
  readonly models: PastModels;

  constructor(options: HistoryOptions) {
    this.rows = new KeyHistory(options);
    this.models = new PastModels(options);
  }

  /** @throws what `KeyHistory.asOf` does. */
  rowAsOf(projection: string, key: string, atMs: number): Promise<PastRow> {
    return this.rows.asOf(projection, key, atMs);
  }

  /**
   * Answers carry no positions (the time says all), and no generation's number (0). Failures are
   * those of `KeyHistory.asOf` and `PastModels.asOf`.
   */
  reader(atMs: number): PastReader {
    return {
      get: async (projection, key) => {
        const { row } = await this.rows.asOf(projection, key, atMs);
        return { result: row, positions: [], generation: 0 };
      },
      find: async (projection, query) => {
        const { result } = await (await this.#whole(projection, atMs)).find(projection, query);
        return { result, positions: [], generation: 0 };
      },
      count: async (projection, query) => {
        const { result } = await (await this.#whole(projection, atMs)).count(projection, query);
        return { result, positions: [], generation: 0 };
      },
    };
  }

  async #whole(projection: string, atMs: number): Promise<MemoryReadModelReader> {
    const { store } = await this.models.asOf(this.rows.projection(projection), atMs);
    return new MemoryReadModelReader({ store });
  }

  [Symbol.dispose](): void {
    this.models[Symbol.dispose]();
  }
}
