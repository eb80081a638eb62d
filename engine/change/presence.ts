import { type AnyRow, nullable, text, type Columns } from "../columns.ts";
import type { RowChange } from "../ports/codec.ts";

/**
 * Which of a transaction's changes to a key count.
 *
 * `UPDATE t SET id = id + 1` arrives as d1 c2 d2 c3: the delete of the old row 2 comes after the
 * creation of the new one, and applied in order it would take the new row with it. Within a
 * transaction, per key, the row exists afterwards if (existed before + creates - deletes) > 0, with
 * the values of the last create or update.
 *
 * So a row carries a balance: how many rows of its key the transaction has going at the moment. It
 * is 1 but for the time between such a create and its delete; only then is it written down, with
 * the transaction's id, in a column of the engine's own, so that the end of a batch or a crash in
 * the middle of the transaction loses nothing.
 */
export const pendingColumn = "refold_pending";

/** The columns that the engine adds to those of a definition that reads row changes. */
export const changeColumns: Columns = { [pendingColumn]: nullable(text()) };

export type ChangeEffect =
  | { readonly kind: "upsert"; readonly pending: string | null }
  /** A delete that took an older row of the key; the present one stays. */
  | { readonly kind: "keep"; readonly pending: string | null }
  | { readonly kind: "delete" };

/** What a change does to its key, whose row (with the engine's column) is `row`. */
export function effectOf(change: RowChange, row: AnyRow | undefined): ChangeEffect {
  const balance = balanceOf(change, row);
  switch (change.op) {
    case "r":
    case "u":
      return { kind: "upsert", pending: pendingOf(change, Math.max(1, balance)) };
    case "c":
      return { kind: "upsert", pending: pendingOf(change, balance + 1) };
    case "d":
    case "t":
      return balance > 1
        ? { kind: "keep", pending: pendingOf(change, balance - 1) }
        : { kind: "delete" };
    default:
      return change.op satisfies never;
  }
}

function balanceOf(change: RowChange, row: AnyRow | undefined): number {
  if (!row) return 0;
  const pending = row[pendingColumn];
  if (typeof pending !== "string") return 1;
  const at = pending.lastIndexOf("=");
  return pending.slice(0, at) === change.transactionId ? Number(pending.slice(at + 1)) : 1;
}

function pendingOf(change: RowChange, balance: number): string | null {
  if (balance <= 1 || change.transactionId === undefined) return null;
  return `${change.transactionId}=${balance}`;
}
