import type { AnyRow, Columns } from "../columns.ts";
import { type BucketDigest, RowHasher } from "../digest.ts";
import { classify, reasonOf } from "../error-policy.ts";
import type { HealOutcome } from "../ports/generations.ts";
import type { DigestDelta } from "../ports/read-model-store.ts";
import type { RowPosition } from "../ports/row-source.ts";
import type { FlushBatch, TaskStore } from "./batch.ts";
import type { Flusher, FlushOutcome } from "./flusher.ts";
import type { HotRows } from "./hot-rows.ts";
import type { TaskPartition } from "./task-partition.ts";

/** One row to be made as the log has it. */
export interface HealWork {
  readonly key: string;
  /** The partition that the row belongs to, or would. */
  readonly partition: number;
  /** Those that the store keeps. */
  readonly columns: Columns;
  /** The row as the log has it at exactly these positions. The task waits for it. */
  readonly rowAt: (at: readonly RowPosition[]) => Promise<AnyRow | undefined>;
  /**
   * What the stored digest of the row's bucket has that the bucket's stored rows don't give, of one
   * moment. Flushes add to both sides alike, but for one that writes over a row that was changed
   * behind its task's back: whoever asks looks again afterwards.
   */
  readonly excess: BucketDigest;
}

/** `later`: store or log couldn't be asked, or the partition goes; `not-here`: it isn't this task's. */
export type HealVerdict = HealOutcome | "later" | "not-here";

export interface HealerOptions {
  readonly store: TaskStore;
  readonly flusher: Flusher;
  readonly rows: HotRows;
}

/** What is found, and the flush that mends it; undefined: there is nothing to mend. */
interface Finding {
  readonly outcome: HealOutcome;
  readonly right: AnyRow | undefined;
  readonly batch: FlushBatch | undefined;
}

/**
 * Mends one row of partitions that stand still, everything durable: in a flush of its own, which
 * writes the row and its bucket's digest, and leaves the positions where they are.
 */
export class Healer {
  readonly #options: HealerOptions;

  constructor(options: HealerOptions) {
    this.#options = options;
  }

  /**
   * @param partitions All of the task's; the row's own are picked.
   * @param apply Takes the outcome of a flush that was committed or fenced.
   * Rejects only with what nobody may catch.
   */
  async run(
    work: HealWork,
    partitions: readonly TaskPartition[],
    apply: (outcome: FlushOutcome) => void,
  ): Promise<HealVerdict> {
    const own = partitions.filter(({ partition }) => partition === work.partition);
    if (own.length === 0) return "not-here";
    const applied = own.filter(({ committed }) => committed !== undefined);
    if (applied.length === 0) return { kind: "failed", reason: nothingApplied(work) };
    try {
      const { outcome, right, batch } = await this.#find(work, applied);
      const failed = batch && (await this.#written(batch, apply));
      if (failed !== undefined) return failed;
      this.#options.rows.put(work, right);
      return outcome;
    } catch (error) {
      return verdictOf(error);
    }
  }

  async #find(work: HealWork, partitions: readonly TaskPartition[]): Promise<Finding> {
    const { key, partition, columns, excess } = work;
    const at = partitions.flatMap(({ topic, committed: position }) =>
      position ? [{ topic, partition, position }] : [],
    );
    const right = await work.rowAt(at);
    const before = (await this.#options.store.load([key])).get(key);
    const isSame = sameRows(columns, key, [before, right]);
    if (isSame && excess.hash === 0n && excess.rows === 0) {
      return { outcome: { kind: "sound" }, right, batch: undefined };
    }
    const outcome = { kind: "healed", before: rowText(before), after: rowText(right) } as const;
    const touch = { key, partition, before, after: right };
    const batch: FlushBatch = {
      advances: partitions.map((one) => one.stand()),
      rows: isSame ? [] : [touch],
      calls: [],
      deadLetters: [],
      settlements: [],
      corrections: [correctionOf(columns, work)],
    };
    return { outcome, right, batch };
  }

  /** undefined: it is. */
  async #written(
    batch: FlushBatch,
    apply: (outcome: FlushOutcome) => void,
  ): Promise<HealVerdict | undefined> {
    const outcome = await this.#options.flusher.run(batch);
    switch (outcome.kind) {
      case "committed":
        apply(outcome);
        return undefined;
      case "fenced":
        apply(outcome);
        return "later";
      // Nothing was written, and nothing else was on its way: the task goes on as it stands.
      case "unfit":
      case "halted":
        return verdictOf(outcome.error);
      default:
        return outcome satisfies never;
    }
  }
}

function verdictOf(error: unknown): HealVerdict {
  const verdict = classify(error);
  switch (verdict) {
    case "rethrow":
      throw error;
    case "retry":
    case "fenced":
      return "later";
    case "record":
    case "halt":
      return { kind: "failed", reason: reasonOf(error) };
    default:
      return verdict satisfies never;
  }
}

const nothingApplied = ({ key, partition }: HealWork): string =>
  `Nothing of partition ${partition} was ever applied, so no flush can mend ${key}: rebuild.`;

function correctionOf(columns: Columns, { key, excess }: HealWork): DigestDelta {
  const bucket = new RowHasher(columns).bucket(key);
  return { bucket, hash: BigInt.asUintN(64, -excess.hash), rows: -excess.rows, correction: true };
}

function sameRows(
  columns: Columns,
  key: string,
  [one, other]: readonly [AnyRow | undefined, AnyRow | undefined],
): boolean {
  if (one === undefined || other === undefined) return one === other;
  const hasher = new RowHasher(columns);
  hasher.hash(key, one);
  const hash = hasher.value;
  hasher.hash(key, other);
  return hasher.value === hash;
}

/** JSON for a person; 64-bit numbers are written as text. */
const rowText = (row: AnyRow | undefined): string | null =>
  row === undefined
    ? null
    : JSON.stringify(row, (_, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      );
