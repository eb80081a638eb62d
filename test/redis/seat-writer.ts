import type { AnyRow } from "../../engine/columns.ts";
import { PartitionDigests } from "../../engine/digest.ts";
import type {
  Advance,
  Generation,
  OwnedPartition,
  ReadModelStore,
  RowMutation,
} from "../../engine/ports/read-model-store.ts";
import { places, seatColumns } from "../conformance/store-samples.ts";
import { laneAt } from "../conformance/store-samples.ts";

const keysOfPartition = 40;

/** What record `n` (from 0) of a partition does: some rows come and go. */
function apply(rows: Map<string, AnyRow>, partition: number, n: number): string {
  const key = `M${partition}-${(n * 7) % keysOfPartition}`;
  const before = rows.get(key);
  if (n % 13 === 12) rows.delete(key);
  else rows.set(key, { moduleCode: key, held: Number(before?.["held"] ?? 0) + 1 + (n % 3) });
  return key;
}

/** The independent fold: all rows of a partition when `records` are applied. */
export function foldOf(partition: number, records: number): Map<string, AnyRow> {
  const rows = new Map<string, AnyRow>();
  for (let n = 0; n < records; n += 1) apply(rows, partition, n);
  return rows;
}

/** Flushes the records of `foldOf`, as a task would, from where the store stands. */
export class SeatWriter {
  readonly #store: ReadModelStore;
  readonly #generation: Generation;
  readonly #digests = new PartitionDigests(seatColumns);
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #rows = new Map<number, Map<string, AnyRow>>();

  constructor(store: ReadModelStore, generation: Generation) {
    this.#store = store;
    this.#generation = generation;
  }

  async claim(...partitions: readonly number[]): Promise<void> {
    for (const one of await this.#store.claim(this.#generation, places(...partitions))) {
      this.#owned.set(one.partition, one);
      const records = Number(one.position?.nextOffset ?? 0);
      this.#rows.set(one.partition, foldOf(one.partition, records));
    }
  }

  /** An advance that moves nothing, as a heal has it. */
  standing(partition: number): Advance[] {
    const owned = this.#owned.get(partition);
    if (owned?.position === undefined) return [];
    const { position } = owned;
    return [{ ...owned, from: position, to: position, records: 0, lastRecordedAtMs: undefined }];
  }

  /** One flush of so many records of each partition. */
  async write(records: number): Promise<void> {
    const advances: Advance[] = [];
    const rows: RowMutation[] = [];
    for (const owned of this.#owned.values()) {
      const { partition } = owned;
      const from = Number(owned.position?.nextOffset ?? 0);
      rows.push(...this.#fold(partition, from, from + records));
      const to = laneAt(from + records);
      const lastRecordedAtMs = 1_700_000_000_000 + from + records;
      advances.push({ ...owned, from: owned.position, to, records, lastRecordedAtMs });
    }
    const digests = this.#digests.take();
    const flush = { generation: this.#generation, advances, rows, digests };
    await this.#store.flush({ ...flush, notices: [], deadLetters: [] });
    for (const { partition, to } of advances) {
      const owned = this.#owned.get(partition);
      if (owned) this.#owned.set(partition, { ...owned, position: to });
    }
  }

  #fold(partition: number, from: number, to: number): RowMutation[] {
    const rows = this.#rows.get(partition) ?? new Map<string, AnyRow>();
    const before = new Map<string, AnyRow | undefined>();
    for (let n = from; n < to; n += 1) {
      const old = new Map(rows);
      const key = apply(rows, partition, n);
      if (!before.has(key)) before.set(key, old.get(key));
    }
    return [...before].map(([key, row]) => {
      this.#digests.change({ key, partition, before: row, after: rows.get(key) });
      return { key, partition, row: rows.get(key) };
    });
  }
}
