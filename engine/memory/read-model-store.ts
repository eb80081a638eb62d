import type { AnyRow, Columns } from "../columns.ts";
import { fencedOut } from "../fencing.ts";
import { columnsDiffer, generationUnknown, versionDiffers } from "../generation-faults.ts";
import type { NewEvent } from "../ports/event-store.ts";
import type {
  DigestDelta,
  Generation,
  OwnedPartition,
  ReadModel,
  ReadModelFlush,
  ReadModelStore,
} from "../ports/read-model-store.ts";
import { assertRowFits, columnDifference, copyRow } from "../stored-row.ts";
import type { LetterSink } from "./dead-letters.ts";
import { compareText } from "./find-rows.ts";
import { MemoryPositions, type StandingPartition } from "./positions.ts";

export interface MemoryReadModelStoreOptions {
  /** Where flushes put the notices of serving generations. */
  readonly onNotices?: (notices: readonly NewEvent[]) => void;
  readonly deadLetters?: LetterSink;
  /** Rows of one page of a scan. */
  readonly scanPageRows?: number;
}

export interface ServingSnapshot {
  readonly generation: number;
  readonly columns: Columns;
  readonly rows: ReadonlyMap<string, AnyRow>;
  readonly positions: readonly StandingPartition[];
}

interface StoredGeneration {
  readonly model: ReadModel;
  readonly number: number;
  readonly positions: MemoryPositions;
  readonly rows: Map<string, AnyRow>;
  readonly digests: Map<number, { hash: bigint; rows: number }>;
}

/** Read models in memory: the exact reference of the port, deep copies at its border. */
export class MemoryReadModelStore implements ReadModelStore {
  readonly #options: MemoryReadModelStoreOptions;
  readonly #generations = new Map<string, StoredGeneration[]>();
  readonly #serving = new Map<string, number>();

  constructor(options: MemoryReadModelStoreOptions = {}) {
    this.#options = options;
  }

  async open(model: ReadModel): Promise<Generation> {
    const serving = this.#servingOf(model.projection);
    if (serving === undefined) {
      const first = this.#create(model);
      this.#serving.set(first.projection, first.generation);
      return { ...first, serving: true };
    }
    const { version, columns } = serving.model;
    if (version !== model.version) throw versionDiffers(model, version);
    const difference = columnDifference(columns, model.columns);
    if (difference !== undefined) throw columnsDiffer(model, difference);
    serving.positions.add(model.topics);
    return { projection: model.projection, generation: serving.number, version, serving: true };
  }

  /** A new, empty generation that doesn't serve yet. */
  async createGeneration(model: ReadModel): Promise<Generation> {
    return this.#create(model);
  }

  /** Moves the pointer: readers see this generation from now on. */
  async serve(generation: Generation): Promise<void> {
    this.#serving.set(generation.projection, this.#generation(generation).number);
  }

  async claim(
    generation: Generation,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.#generation(generation).positions.claim(partitions);
  }

  async load(
    generation: Generation,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, AnyRow>> {
    const { rows, model } = this.#generation(generation);
    const found = new Map<string, AnyRow>();
    for (const key of keys) {
      const row = rows.get(key);
      if (row !== undefined) found.set(key, copyRow(model.columns, row));
    }
    return found;
  }

  async flush(flush: ReadModelFlush): Promise<void> {
    const stored = this.#generation(flush.generation);
    const { columns, projection } = stored.model;
    for (const { key, row } of flush.rows) {
      if (row !== undefined) assertRowFits(projection, columns, { key, row });
    }
    stored.positions.check(flush.advances);
    const { deadLetters: letters } = this.#options;
    const { settlements = [] } = flush;
    if (letters && !letters.areOpen(settlements)) throw fencedOut(projection, flush.advances);
    for (const { key, row } of flush.rows) {
      if (row === undefined) stored.rows.delete(key);
      else stored.rows.set(key, copyRow(columns, row));
    }
    for (const delta of flush.digests) addDigest(stored.digests, delta);
    letters?.add(flush.deadLetters);
    letters?.settle(settlements);
    stored.positions.advance(flush.advances);
    const serves = this.#serving.get(projection) === stored.number;
    if (serves && flush.notices.length > 0) this.#options.onNotices?.(flush.notices);
  }

  async positions(generation: Generation): Promise<readonly StandingPartition[]> {
    return this.#generation(generation).positions.all();
  }

  async digests(
    generation: Generation,
  ): Promise<ReadonlyMap<number, { hash: bigint; rows: number }>> {
    const digests = [...this.#generation(generation).digests].sort(([a], [b]) => a - b);
    return new Map(digests.filter(([, { rows }]) => rows > 0).map(([b, of]) => [b, { ...of }]));
  }

  async *scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]> {
    const { rows, model } = this.#generation(generation);
    const all = [...rows]
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, row]) => ({ key, row: copyRow(model.columns, row) }));
    const pageRows = this.#options.scanPageRows ?? 1_000;
    for (let at = 0; at < all.length; at += pageRows) yield all.slice(at, at + pageRows);
  }

  /** What serves now, for a reader that copies what it gives away. */
  servingSnapshot(projection: string): ServingSnapshot {
    const serving = this.#servingOf(projection);
    if (serving === undefined) throw generationUnknown(projection);
    const { number: generation, rows, positions, model } = serving;
    return { generation, rows, positions: positions.all(), columns: model.columns };
  }

  #create(model: ReadModel): Generation {
    const { projection, version } = model;
    const generations = this.#generations.get(projection) ?? [];
    const generation = generations.length + 1;
    const positions = new MemoryPositions(projection);
    positions.add(model.topics);
    const rows = new Map<string, AnyRow>();
    generations.push({ model, number: generation, positions, rows, digests: new Map() });
    this.#generations.set(projection, generations);
    return { projection, generation, version, serving: false };
  }

  #servingOf(projection: string): StoredGeneration | undefined {
    const number = this.#serving.get(projection);
    return number === undefined ? undefined : this.#generations.get(projection)?.[number - 1];
  }

  #generation({ projection, generation }: Generation): StoredGeneration {
    const stored = this.#generations.get(projection)?.[generation - 1];
    if (stored === undefined) throw generationUnknown(projection, generation);
    return stored;
  }
}

function addDigest(
  digests: Map<number, { hash: bigint; rows: number }>,
  { bucket, hash, rows }: DigestDelta,
): void {
  const old = digests.get(bucket) ?? { hash: 0n, rows: 0 };
  digests.set(bucket, { hash: BigInt.asUintN(64, old.hash + hash), rows: old.rows + rows });
}
