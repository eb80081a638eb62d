import type { Comparisons, ViewedGeneration } from "../ports/comparisons.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { MemoryReadModelStore } from "./read-model-store.ts";
import {
  copyDigests,
  copyRows,
  pagesOf,
  type StoredGeneration,
  viewedPartitions,
} from "./stored-generations.ts";

/** Views of generations in memory: copies, made when they are asked for. */
export class MemoryComparisons implements Comparisons {
  readonly #store: MemoryReadModelStore;
  readonly #pageRows: number;

  constructor(options: { readonly store: MemoryReadModelStore; readonly pageRows?: number }) {
    this.#store = options.store;
    this.#pageRows = options.pageRows ?? 1_000;
  }

  async within<Result>(
    generations: readonly Pick<Generation, "projection" | "generation">[],
    work: (views: readonly ViewedGeneration[]) => Promise<Result>,
  ): Promise<Result> {
    const builds = generations.map((one) => this.#store.generations.get(one));
    return work(builds.map((build) => this.#view(build)));
  }

  #view(build: StoredGeneration): ViewedGeneration {
    const rows = copyRows(build);
    const pageRows = this.#pageRows;
    return {
      standing: viewedPartitions(build),
      digests: copyDigests(build),
      rows: async function* () {
        yield* pagesOf(rows, pageRows);
      },
      row: async (key) => rows.find((row) => row.key === key),
    };
  }
}
