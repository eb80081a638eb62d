import type { AnyRow } from "../columns.ts";
import { unavailableValue } from "../change/unavailable.ts";
import { invariant } from "../errors.ts";
import type { RowChange } from "../ports/codec.ts";
import type { ErasedChangeProjection, RecordMeta } from "../projection.ts";
import type { ChangeTopic } from "../topic.ts";

/** What one change does to the row of its key. */
export interface TableStep {
  readonly kind: "put" | "remove";
  readonly key: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly meta: RecordMeta;
}

/**
 * What a table's history does, step by step: an independent count of the rows of each key, with
 * which a delete that takes only an older row of its key within the transaction is left out.
 */
export function* tableSteps(
  { name: topic }: ChangeTopic,
  changes: readonly RowChange[],
  keyOf: (row: never) => string | undefined,
): Generator<TableStep> {
  const rows = new Map<string, number>();
  let transaction: string | undefined;
  for (const [offset, change] of changes.entries()) {
    if (change.transactionId !== transaction || change.snapshot) settle(rows);
    transaction = change.transactionId;
    const row = (change.after ?? change.before) as Readonly<Record<string, unknown>>;
    invariant(
      !Object.values(row).includes(unavailableValue) && change.op !== "t",
      "A history to compare with has whole rows, and no truncation.",
    );
    const key = keyOf(row as never);
    if (key === undefined) continue;
    const there = rows.get(key) ?? 0;
    rows.set(key, afterOp(change, there));
    if (change.op === "d" && there !== 1) continue;
    const recordedAtMs = change.sourceTimestampMs;
    const meta = { topic, partition: 0, offset, recordedAtMs, sequence: 0 };
    yield { kind: change.op === "d" ? "remove" : "put", key, row, meta };
  }
}

/** Between transactions a key has one row or none. */
function settle(rows: Map<string, number>): void {
  for (const [key, count] of rows) rows.set(key, Math.min(count, 1));
}

function afterOp({ op }: RowChange, there: number): number {
  if (op === "c") return there + 1;
  return op === "d" ? Math.max(0, there - 1) : Math.max(1, there);
}

/** The independent fold of a projection of row changes: a map and a loop. */
export function foldChanges(
  projection: ErasedChangeProjection,
  changes: readonly RowChange[],
): Map<string, AnyRow> {
  const rows = new Map<string, AnyRow>();
  const { upsert, delete: remove } = projection.on;
  for (const step of tableSteps(projection.from, changes, projection.key)) {
    const before = rows.get(step.key);
    const after =
      step.kind === "put"
        ? upsert(before as never, step.row as never, step.meta)
        : before && remove(before as never, step.meta);
    if (after === undefined) rows.delete(step.key);
    else rows.set(step.key, after);
  }
  return rows;
}
