import type { AnyRow, Columns } from "../columns.ts";
import { effectOf, pendingColumn } from "../change/presence.ts";
import { filledIn, keepUnavailable } from "../change/unavailable.ts";
import type { RowChange } from "../ports/codec.ts";
import type { RecordMeta } from "../projection.ts";
import { rowOf } from "./change-intake.ts";
import type { HotRow } from "./hot-rows.ts";
import { rowCheck } from "./row-check.ts";

/** The one meta object, changed in place for every record. */
export class CurrentMeta implements RecordMeta {
  topic = "";
  partition = 0;
  offset = 0;
  recordedAtMs = 0;
  sequence = 0;
}

/** Folds a staged record into its row: gives the row as it is afterwards. Throws what folds do. */
export type Folder<Handler> = (handler: Handler, row: HotRow, event: unknown) => AnyRow | undefined;

type Fold = (row: AnyRow | undefined, event: unknown, meta: RecordMeta) => AnyRow | undefined;

export interface ChangeHandlers {
  readonly upsert: Fold;
  readonly delete: (row: AnyRow, meta: RecordMeta) => AnyRow | undefined;
}

/** Folds events. */
export function eventFolder(columns: Columns, meta: CurrentMeta): Folder<Fold> {
  const check = rowCheck(columns);
  return (fold, row, event) => {
    const before = row.row;
    const after = fold(before, event, meta);
    if (after !== undefined && after !== before) check(after, row.key);
    return after;
  };
}

/** Folds row changes, transaction by transaction (see change/presence.ts). */
export function changeFolder(columns: Columns, meta: CurrentMeta): Folder<ChangeHandlers> {
  const check = rowCheck(columns);
  return (handlers, { row: before, key }, event) => {
    const change = event as RowChange;
    const effect = effectOf(change, before);
    if (effect.kind === "keep") return before && { ...before, [pendingColumn]: effect.pending };
    if (effect.kind === "delete") {
      if (before === undefined) return undefined;
      const left = handlers.delete(before, meta);
      if (left !== undefined) check(left, key);
      return left && { ...left, [pendingColumn]: null };
    }
    const after = handlers.upsert(before, filledIn(rowOf(change), before), meta);
    if (after === undefined) return undefined;
    const kept = keepUnavailable(after, before, key);
    check(kept, key);
    return { ...kept, [pendingColumn]: effect.pending };
  };
}
