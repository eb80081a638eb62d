import type { NamePattern } from "../tables/selection.ts";

/** When and how the rows that a table has already are published; modes are Debezium's. */
export interface SnapshotPlan {
  /**
   * initial: where nothing was published before. initial_only: the same, then the capture ends.
   * always: at every start. no_data: never. when_needed: also where the slot no longer has what the
   * position needs.
   */
  readonly mode: "initial" | "initial_only" | "always" | "no_data" | "when_needed";
  /** Tables whose rows are published, out of those captured; undefined: all. */
  readonly include: readonly NamePattern[] | undefined;
  /** Whether rows are told that a table has when it comes to a capture that goes on. */
  readonly added: "told" | "untold";
  /** A SELECT in place of a table's whole rows, by `schema.table`. */
  readonly selects: Readonly<Record<string, string>>;
}

/** Signals, sent by inserting rows into a table of the captured database. */
export interface SignalTable {
  /** `schema.table`, with the columns id, type and data. */
  readonly table: string;
  /** Rows of an incremental snapshot that are read at a time. */
  readonly chunkRows: number;
  readonly watermarks: "insert_insert" | "insert_delete";
}

export const defaultSnapshotPlan: SnapshotPlan = {
  mode: "initial",
  include: undefined,
  added: "told",
  selects: {},
};
