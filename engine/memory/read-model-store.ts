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
import type { StandingPartition } from "./positions.ts";
import { copyRows, pagesOf, StoredGenerations } from "./stored-generations.ts";

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

/** Read models in memory: the exact reference of the port, deep copies at its border. */
export class MemoryReadModelStore implements ReadModelStore {
  readonly #options: MemoryReadModelStoreOptions;
  /** What the other ports of read models in memory work on too. */
  readonly generations = new StoredGenerations();

  constructor(options: MemoryReadModelStoreOptions = {}) {
    this.#options = options;
  }

  async open(model: ReadModel): Promise<Generation> {
    const serving = this.generations.serving(model.projection);
    if (serving === undefined) {
      // Without a pause in between: of those who open at once, one makes it.
      const { number: generation } = this.generations.add(model);
      const first = { projection: model.projection, generation, version: model.version };
      this.generations.serve(first);
      return { ...first, serving: true };
    }
    const { version, columns } = serving.model;
    if (version !== model.version) throw versionDiffers(model, version);
    const difference = columnDifference(columns, model.columns);
    if (difference !== undefined) throw columnsDiffer(model, difference);
    serving.positions.add(model.topics);
    return { projection: model.projection, generation: serving.number, version, serving: true };
  }

  async claim(
    generation: Generation,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]> {
    return this.generations.get(generation).positions.claim(partitions);
  }

  async load(
    generation: Generation,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, AnyRow>> {
    const { rows, model } = this.generations.get(generation);
    const found = new Map<string, AnyRow>();
    for (const key of keys) {
      const row = rows.get(key);
      if (row !== undefined) found.set(key, copyRow(model.columns, row));
    }
    return found;
  }

  async flush(flush: ReadModelFlush): Promise<void> {
    const stored = this.generations.get(flush.generation);
    const { columns, projection } = stored.model;
    for (const { key, row } of flush.rows) {
      if (row !== undefined) assertRowFits(projection, columns, { key, row });
    }
    stored.positions.check(flush.advances);
    const { deadLetters: letters } = this.#options;
    const { settlements = [] } = flush;
    if (letters && !letters.areOpen(settlements)) throw fencedOut(projection, flush.advances);
    for (const { key, partition, row } of flush.rows) {
      if (row === undefined) stored.rows.delete(key);
      else stored.rows.set(key, copyRow(columns, row));
      if (row === undefined) stored.partitions.delete(key);
      else stored.partitions.set(key, partition);
    }
    for (const delta of flush.digests) addDigest(stored.digests, delta);
    letters?.add(flush.deadLetters);
    letters?.settle(settlements);
    if (settlements.length > 0) stored.settled += 1;
    stored.positions.advance(flush.advances);
    const serves = this.generations.serving(projection) === stored;
    if (serves && flush.notices.length > 0) this.#options.onNotices?.(flush.notices);
  }

  async positions(generation: Generation): Promise<readonly StandingPartition[]> {
    return this.generations.get(generation).positions.all();
  }

  async digests(
    generation: Generation,
  ): Promise<ReadonlyMap<number, { hash: bigint; rows: number }>> {
    const digests = [...this.generations.get(generation).digests].sort(([a], [b]) => a - b);
    return new Map(digests.filter(([, { rows }]) => rows > 0).map(([b, of]) => [b, { ...of }]));
  }

  async *scan(generation: Generation): AsyncIterable<readonly { key: string; row: AnyRow }[]> {
    const rows = copyRows(this.generations.get(generation)).map(({ key, row }) => ({ key, row }));
    yield* pagesOf(rows, this.#options.scanPageRows ?? 1_000);
  }

  /** What serves now, for a reader that copies what it gives away. */
  servingSnapshot(projection: string): ServingSnapshot {
    const serving = this.generations.serving(projection);
    if (serving === undefined) throw generationUnknown(projection);
    const { number: generation, rows, positions, model } = serving;
    return { generation, rows, positions: positions.all(), columns: model.columns };
  }
}

function addDigest(
  digests: Map<number, { hash: bigint; rows: number }>,
  { bucket, hash, rows }: DigestDelta,
): void {
  const old = digests.get(bucket) ?? { hash: 0n, rows: 0 };
  digests.set(bucket, { hash: BigInt.asUintN(64, old.hash + hash), rows: old.rows + rows });
}
