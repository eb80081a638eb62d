import type { NamePattern } from "../tables/selection.ts";

export interface Heartbeat {
  readonly intervalMs: number;
  /** The topic's name is `<topicPrefix>.<prefix>`. */
  readonly topicPrefix: string;
  /** Run in the captured database at every beat. */
  readonly actionQuery?: string;
}

/** What the stream tells beside the rows' own changes. */
export interface StreamShape {
  /** Transactions are told on `<prefix>.transaction`, and in every envelope. */
  readonly transactions: "told" | "untold";
  /** The last part of the transactions' topic. */
  readonly transactionTopic: string;
  /** Whether a record without a value follows every delete. */
  readonly tombstones: "written" | "left-out";
  /** Operations that are left out, by their letters in envelopes; `t` is truncate. */
  readonly skipped: ReadonlySet<"c" | "u" | "d" | "t">;
  /** The headers `__debezium.context.*`, on every record of a captured table. */
  readonly contextHeaders: "written" | "left-out";
  readonly heartbeat: Heartbeat | undefined;
  /** Logical messages (`pg_logical_emit_message`), by their prefix; undefined: none are told. */
  readonly messages:
    | { readonly include?: readonly NamePattern[]; readonly exclude?: readonly NamePattern[] }
    | undefined;
  /** A partitioned table's changes come as its own, or as each partition's. */
  readonly partitionsAs: "partitions" | "root";
}

export const defaultStreamShape: StreamShape = {
  transactions: "told",
  transactionTopic: "transaction",
  tombstones: "written",
  skipped: new Set(),
  contextHeaders: "written",
  heartbeat: undefined,
  messages: undefined,
  partitionsAs: "root",
};
