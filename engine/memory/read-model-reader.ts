import type { AnyRow } from "../columns.ts";
import type {
  Answer,
  CountRows,
  FindRows,
  Page,
  ReadModelReader,
  ReadPosition,
} from "../ports/read-model-reader.ts";
import { copyRow } from "../stored-row.ts";
import { countRows, findRows } from "./find-rows.ts";
import { readPositionsOf } from "./positions.ts";
import type { MemoryReadModelStore, ServingSnapshot } from "./read-model-store.ts";

/** Reads what a `MemoryReadModelStore` serves. */
export class MemoryReadModelReader implements ReadModelReader {
  readonly #store: MemoryReadModelStore;

  constructor(options: { readonly store: MemoryReadModelStore }) {
    this.#store = options.store;
  }

  async get(projection: string, key: string): Promise<Answer<AnyRow | undefined>> {
    const serving = this.#store.servingSnapshot(projection);
    const row = serving.rows.get(key);
    return answer(serving, row && copyRow(serving.columns, row));
  }

  async find(projection: string, query: FindRows): Promise<Answer<Page>> {
    const serving = this.#store.servingSnapshot(projection);
    return answer(serving, findRows({ projection, ...serving }, query));
  }

  async count(projection: string, query: CountRows): Promise<Answer<number>> {
    const serving = this.#store.servingSnapshot(projection);
    return answer(serving, countRows({ projection, ...serving }, query));
  }

  async positions(projection: string): Promise<readonly ReadPosition[]> {
    return readPositionsOf(this.#store.servingSnapshot(projection).positions);
  }
}

function answer<Result>(serving: ServingSnapshot, result: Result): Answer<Result> {
  return { result, positions: readPositionsOf(serving.positions), generation: serving.generation };
}
