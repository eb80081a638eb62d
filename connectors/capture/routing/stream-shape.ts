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
  /**
   * told: in every envelope, and each that the stream delivers on a topic of their own. of-changes:
   * the same, but on the topic those alone that changed captured tables, outbox tables being none.
   * in-envelopes: on no topic. untold: not at all.
   */
  readonly transactions: "told" | "of-changes" | "in-envelopes" | "untold";
  /** The last part of the transactions' topic, `<prefix>.<transactionTopic>`. */
  readonly transactionTopic: string;
  /** Partitions of the topics of transactions, messages and heartbeats. */
  readonly partitions: number;
  /** Whether a record without a value follows every delete. */
  readonly tombstones: "written" | "left-out";
  /** Operations that are left out, by their letters in envelopes; `t` is truncate. */
  readonly skipped: ReadonlySet<"c" | "u" | "d" | "t">;
  /** Whether a publication that the capture makes publishes skipped operations all the same. */
  readonly publishes: "all" | "unskipped";
  /** An update that changes no captured column; it shows under replica identity full alone. */
  readonly unchanged: "written" | "left-out";
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

/**
 * Refold's own: readers need the transaction in envelopes alone, and headers that are the same on
 * every record would only fill the log.
 */
export const defaultStreamShape: StreamShape = {
  transactions: "in-envelopes",
  transactionTopic: "transaction",
  partitions: 1,
  tombstones: "written",
  skipped: new Set(),
  publishes: "all",
  unchanged: "written",
  contextHeaders: "left-out",
  heartbeat: undefined,
  messages: undefined,
  partitionsAs: "root",
};
