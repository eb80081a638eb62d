import { partitionOf } from "../../../engine/partitioner.ts";
import { AvroWriter } from "../avro-writer.ts";
import type { Emit, TransactionContext } from "./change.ts";
import { optionalLong } from "./envelope.ts";
import type { OwnForm } from "./own-record.ts";

export interface TransactionTopicOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly form: OwnForm;
  /** When a transaction's BEGIN is told; one whose BEGIN is not told has no END either. */
  readonly begins: "at once" | "at the first change";
}

const absent = 0;
const present = 2;

/**
 * Tells where transactions begin and end, with what they held of captured tables: every transaction
 * that the stream delivers, also one that had nothing captured, or those alone that had something.
 */
export class TransactionTopic {
  readonly #options: TransactionTopicOptions;
  readonly #writer = new AvroWriter(65_536);

  constructor(options: TransactionTopicOptions) {
    this.#options = options;
  }

  get begins(): TransactionTopicOptions["begins"] {
    return this.#options.begins;
  }

  /** `lsn` is that of the stream's message. */
  begin(transaction: TransactionContext, lsn: number, emit: Emit): void {
    this.#tell("BEGIN", { transaction, lsn }, emit);
  }

  end(transaction: TransactionContext, lsn: number, emit: Emit): void {
    this.#tell("END", { transaction, lsn }, emit);
  }

  #tell(
    status: "BEGIN" | "END",
    { transaction, lsn }: { transaction: TransactionContext; lsn: number },
    emit: Emit,
  ): void {
    const { topic, partitions, form } = this.#options;
    const { schemaIds } = form;
    const id = `${transaction.transactionId}:${lsn}`;
    const timestampMs = Math.floor(transaction.commitTimeUs / 1000);
    this.#writer.frame(schemaIds.key);
    this.#writer.ascii(id);
    const key = this.#writer.finish();
    this.#writer.frame(schemaIds.value);
    this.#writer.ascii(status);
    this.#writer.ascii(id);
    if (status === "BEGIN") {
      this.#writer.byte(absent);
      this.#writer.byte(absent);
    } else this.#counts(transaction);
    this.#writer.long(timestampMs);
    const value = this.#writer.finish();
    const record = form.finish({ timestampMs, key, value, headers: [] });
    emit(topic, partitionOf(record.key ?? key, partitions), record);
  }

  #counts({ totalOrder, tableOrder }: TransactionContext): void {
    optionalLong(this.#writer, totalOrder);
    this.#writer.byte(present);
    if (tableOrder.size > 0) this.#writer.long(tableOrder.size);
    for (const [table, count] of tableOrder) {
      this.#writer.byte(present);
      this.#writer.string(table);
      this.#writer.long(count);
    }
    // The array's end.
    this.#writer.byte(0);
  }
}
