import type { RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { OldRow, UpdatedRow } from "../pgoutput/messages.ts";
import type { Tuple } from "../pgoutput/tuple.ts";

/** The transaction that a change belongs to. */
export interface TransactionContext {
  readonly transactionId: number;
  /** Microseconds since 1970 (UTC). */
  readonly commitTimeUs: number;
  /** Where the commit before this one ends; 0 for the first. */
  readonly previousCommitLsn: number;
  readonly origin: { readonly name: string; readonly lsn: number } | undefined;
  /** Row changes of captured tables so far, over all tables. */
  totalOrder: number;
  /** The same for each table. */
  readonly tableOrder: Map<object, number>;
}

/** One row change, or one truncated table. */
export type Change =
  | { readonly kind: "insert"; readonly row: Tuple }
  | ({ readonly kind: "update" } & UpdatedRow)
  | { readonly kind: "remove"; readonly old: OldRow }
  | { readonly kind: "truncate" };

export interface PlacedChange {
  readonly change: Change;
  readonly lsn: number;
  readonly transaction: TransactionContext;
}

export type Emit = (topic: string, partition: number, record: RecordToAppend) => void;

/** Turns a table's changes into records. */
export interface Route {
  route(change: PlacedChange, emit: Emit): void;
}
