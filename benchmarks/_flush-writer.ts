import { integer, text } from "../engine/columns.ts";
import { PartitionDigests } from "../engine/digest.ts";
import type {
  Advance,
  OwnedPartition,
  ReadModel,
  ReadModelFlush,
  RowMutation,
} from "../engine/ports/read-model-store.ts";
import { offset, type Position, sequence } from "../engine/position.ts";

export const columns = {
  moduleCode: text(),
  capacity: integer(),
  held: integer(),
  confirmed: integer(),
};

const topic = "bench";
const partitions = 10;

export const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));

export const modelOf = (projection: string): ReadModel => ({
  projection,
  version: 1,
  columns,
  indexes: [],
  topics: [{ name: topic, partitions }],
});

/** Makes flushes, and remembers what must be stored after them. */
export class FlushWriter {
  readonly rows = new Map<string, { moduleCode: string } & Record<string, unknown>>();
  readonly #keys: number;
  #owned: readonly OwnedPartition[];
  readonly #rowsPerFlush: number;
  #digests = new PartitionDigests(columns);
  #count = 0;

  constructor(
    owned: readonly OwnedPartition[],
    of: { readonly keys: number; readonly rowsPerFlush: number },
  ) {
    this.#keys = of.keys;
    this.#rowsPerFlush = of.rowsPerFlush;
    this.#owned = owned;
  }

  get positions(): readonly (Position | undefined)[] {
    return this.#owned.map(({ position }) => position);
  }

  next(): Pick<ReadModelFlush, "advances" | "rows" | "digests"> {
    const rows: RowMutation[] = [];
    for (let index = 0; index < this.#rowsPerFlush; index += 1) {
      const number = this.#count % this.#keys;
      const key = `module-${String(number).padStart(8, "0")}`;
      const row = { moduleCode: key, capacity: 500, held: this.#count, confirmed: index };
      this.#count += 1;
      const partition = number % partitions;
      const before = this.rows.get(key);
      this.#digests.change({ key, partition, before, after: row });
      this.rows.set(key, row);
      rows.push({ key, partition, row, isUpdate: before !== undefined });
    }
    const advances = this.#owned.map((owned) => advanceOf(owned, this.#rowsPerFlush / partitions));
    this.#owned = advances.map(({ to, ...owned }) => ({ ...owned, position: to }));
    return { advances, rows, digests: this.#digests.take() };
  }
}

function advanceOf(owned: OwnedPartition, records: number): Advance {
  const next = Number(owned.position?.nextOffset ?? 0) + records;
  const source = { kind: "lane", incarnation: "bench", nextSequence: sequence(next + 1) } as const;
  const { topic, partition, epoch, position: from } = owned;
  const to = { logId: "bench", nextOffset: offset(next), source };
  return { topic, partition, epoch, from, to, records, lastRecordedAtMs: next };
}
