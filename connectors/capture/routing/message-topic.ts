import { partitionOf } from "../../../engine/partitioner.ts";
import { AvroWriter } from "../avro-writer.ts";
import type { ValueModes } from "../types/value-modes.ts";
import {
  noTransaction,
  type Emit,
  type LogicalMessage,
  type TransactionContext,
} from "./change.ts";
import { optionalLong, writeSource, writeTransaction, type SourceIdentity } from "./envelope.ts";
import { Nanoseconds } from "./nanoseconds.ts";
import type { OwnForm } from "./own-record.ts";

export interface MessageTopicOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly form: OwnForm;
  readonly source: SourceIdentity;
  readonly binary: ValueModes["binary"];
  /** Whether the field `transaction` is filled. */
  readonly transactions: "told" | "untold";
  /** Milliseconds since 1970 (UTC): when the capture handles a message. */
  readonly nowMs: () => number;
}

const present = 2;
const noTable = { schema: "", table: "" };
/**
 * What a transaction's end calls a message in it: each is a collection of its own there, named by
 * the class of its id and a number that means nothing.
 */
const collection =
  "io.debezium.connector.postgresql.LogicalDecodingMessageMonitor$LogicalDecodingMessageId@";

const encodings = { base64: "base64", "base64-url-safe": "base64", hex: "hex" } as const;

/** Messages of `pg_logical_emit_message` as records, keyed by their prefix. */
export class MessageTopic {
  readonly #options: MessageTopicOptions;
  readonly #writer = new AvroWriter(65_536);
  readonly #commitTime = new Nanoseconds();

  constructor(options: MessageTopicOptions) {
    this.#options = options;
  }

  tell(message: LogicalMessage, transaction: TransactionContext, emit: Emit): void {
    const { topic, partitions, form } = this.#options;
    const { schemaIds } = form;
    const timestampMs = Math.floor(transaction.commitTimeUs / 1000);
    this.#writer.frame(schemaIds.key);
    this.#prefix(message);
    const key = this.#writer.finish();
    this.#writer.frame(schemaIds.value);
    this.#value(message, transaction);
    const value = this.#writer.finish();
    const record = form.finish({ timestampMs, key, value, headers: [] });
    emit(topic, partitionOf(record.key ?? key, partitions), record);
  }

  #value(message: LogicalMessage, transaction: TransactionContext): void {
    const { source, nowMs } = this.#options;
    const to = this.#writer;
    const { lsn } = message;
    to.ascii("m");
    optionalLong(to, nowMs());
    const setting = { source, table: noTable, commitTime: this.#commitTime };
    writeSource(to, { lsn, transaction, snapshot: "false" }, setting);
    writeTransaction(to, { transaction, lsn, order: this.#order(transaction, lsn) });
    this.#prefix(message);
    to.byte(present);
    this.#content(message.content);
  }

  #prefix({ prefix }: LogicalMessage): void {
    this.#writer.byte(present);
    this.#writer.string(prefix);
  }

  #content(content: Buffer): void {
    const { binary } = this.#options;
    if (binary === "bytes") {
      this.#writer.bytes(content);
      return;
    }
    const text = content.toString(encodings[binary]);
    const isUrlSafe = binary === "base64-url-safe";
    this.#writer.ascii(isUrlSafe ? text.replaceAll("+", "-").replaceAll("/", "_") : text);
  }

  /** Each message counts as the first of a collection of its own. */
  #order(
    transaction: TransactionContext,
    lsn: number,
  ): { total: number; table: number } | undefined {
    if (this.#options.transactions === "untold" || transaction.transactionId === noTransaction) {
      return undefined;
    }
    const { tableOrder } = transaction;
    tableOrder.set(collection + lsn.toString(16), 1);
    transaction.totalOrder += 1;
    return { total: transaction.totalOrder, table: 1 };
  }
}
