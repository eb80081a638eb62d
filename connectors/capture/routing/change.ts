import type { RecordToAppend } from "../../../engine/ports/record-log.ts";
import type { OldRow, UpdatedRow } from "../pgoutput/messages.ts";
import type { Tuple } from "../pgoutput/tuple.ts";

/** Stands for the id of no transaction (Postgres gives no transaction this one). */
export const noTransaction = 0;

/** The transaction that a change belongs to. */
export interface TransactionContext {
  /** `noTransaction`: a message outside of transactions. */
  readonly transactionId: number;
  /** Microseconds since 1970 (UTC). */
  readonly commitTimeUs: number;
  /** Where the commit (or message outside of transactions) before this one ends; 0: the first. */
  readonly previousCommitLsn: number;
  readonly origin: { readonly name: string; readonly lsn: number } | undefined;
  /** What was told of captured tables so far, over all tables. */
  totalOrder: number;
  /** The same for each table, by `schema.table`. */
  readonly tableOrder: Map<string, number>;
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

/** A message of `pg_logical_emit_message`. */
export interface LogicalMessage {
  readonly lsn: number;
  readonly prefix: string;
  readonly content: Buffer;
}

export type Emit = (topic: string, partition: number, record: RecordToAppend) => void;

/** Turns a table's changes into records. */
export interface Route {
  /** A promise where something has to be waited for; the change is read before it ends. */
  route(change: PlacedChange, emit: Emit): Promise<void> | undefined;
}
