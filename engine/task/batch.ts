import type { AnyRow } from "../columns.ts";
import type { FollowedCall } from "../decision/definition.ts";
import type { DeadLetter, LetterSettlement } from "../ports/dead-letters.ts";
import type { Advance, DigestDelta, OwnedPartition } from "../ports/read-model-store.ts";
import type { HotRow } from "./hot-rows.ts";
import type { TaskLimits } from "./limits.ts";
import type { SourceOrigin } from "./source-origin.ts";

/** A decision that a reaction asked for. */
export interface EmittedCall extends FollowedCall {
  readonly origin: SourceOrigin;
  /** The record that led to it, as `recordPlace` names it. */
  readonly record: string;
  /** Reproducible: a replay of the record gives the same. */
  readonly seed: string;
}

/** What a flush changes about one row. */
export interface RowTouch {
  readonly key: string;
  readonly partition: number;
  readonly before: AnyRow | undefined;
  readonly after: AnyRow | undefined;
  /** One of the records that changed it, where it is known. */
  readonly cause?: SourceOrigin | undefined;
}

/** A closed batch: what one flush makes durable. */
export interface FlushBatch {
  readonly advances: readonly Advance[];
  readonly rows: readonly RowTouch[];
  readonly calls: readonly EmittedCall[];
  readonly deadLetters: readonly DeadLetter[];
  readonly settlements: readonly LetterSettlement[];
  /** What the stored digests are wrong by; only of a heal. */
  readonly corrections?: readonly DigestDelta[];
  /** Records that were folded into it; left out: none. */
  readonly applied?: number;
}

/** What a task needs of a store; projections and processors alike. */
export interface TaskStore {
  claim(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly OwnedPartition[]>;
  load(keys: readonly string[]): Promise<ReadonlyMap<string, AnyRow>>;
  /**
   * Would the flush take this row?
   * @throws RecordError what it would be refused for.
   */
  check?(row: RowTouch): void;
  /** One try; failures as the store's port says, and `UnfitBatchError`. */
  flush(batch: FlushBatch): Promise<void>;
}

type Lingering = Pick<TaskLimits, "lingerMs" | "positionLingerMs">;

type Room = Pick<
  TaskLimits,
  "batchRecordsMax" | "batchRowsMax" | "batchCallsMax" | "batchBytesMax"
>;

/** The batch that is being filled. */
export class OpenBatch {
  /** From 1; rows say by it when they were last touched. */
  number = 1;
  records = 0;
  /** Those of the records that were folded. */
  applied = 0;
  bytes = 0;
  /** Monotonic; undefined while it is empty. */
  openedAtMs: number | undefined;
  touched: HotRow[] = [];
  /** Has a fold changed a row? It may have been changed back since. */
  changed = false;
  calls: EmittedCall[] = [];
  letters: DeadLetter[] = [];

  /** Monotonic; undefined: a flush of it would move positions, and nothing else. */
  #changesSinceMs: number | undefined;

  /** Records that came at this time (monotonic) are folded. */
  folded(atMs: number): void {
    const changes = this.changed || this.calls.length + this.letters.length > 0;
    if (changes) this.#changesSinceMs ??= atMs;
  }

  /** When it wants to be flushed (monotonic); undefined: it is empty. */
  dueMs({ lingerMs, positionLingerMs }: Lingering): number | undefined {
    if (this.openedAtMs === undefined) return undefined;
    const changesDueMs = (this.#changesSinceMs ?? Infinity) + lingerMs;
    return Math.min(changesDueMs, this.openedAtMs + Math.max(lingerMs, positionLingerMs));
  }

  isFull({ batchRecordsMax, batchRowsMax, batchCallsMax, batchBytesMax }: Room): boolean {
    return (
      this.records >= batchRecordsMax ||
      this.touched.length >= batchRowsMax ||
      this.calls.length >= batchCallsMax ||
      this.bytes >= batchBytesMax
    );
  }

  touch(row: HotRow): void {
    if (row.batch === this.number) return;
    row.batch = this.number;
    this.touched.push(row);
  }

  /** Closes it for these advances and begins the next. */
  take(advances: readonly Advance[], settlements: readonly LetterSettlement[] = []): FlushBatch {
    const rows: RowTouch[] = [];
    for (const row of this.touched) {
      const { key, partition, cause, base: before, row: after } = row;
      row.cause = undefined;
      // A fold that gave its row back unchanged has nothing to write.
      if (after === before) continue;
      rows.push({ key, partition, before, after, cause });
      row.base = after;
    }
    const { calls, letters: deadLetters, applied } = this;
    this.clear();
    return { advances, rows, calls, deadLetters, settlements, applied };
  }

  clear(): void {
    this.number += 1;
    this.records = 0;
    this.applied = 0;
    this.bytes = 0;
    this.openedAtMs = undefined;
    this.touched = [];
    this.changed = false;
    this.#changesSinceMs = undefined;
    this.calls = [];
    this.letters = [];
  }
}
