import type { AvroWriter } from "../avro-writer.ts";
import { writeKeyOnlyRow, writeRow, type CodedTable } from "../tables/table-codec.ts";
import type { OldRow } from "../pgoutput/messages.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import { noTransaction, type TransactionContext } from "./change.ts";
import type { Nanoseconds } from "./nanoseconds.ts";

/** What every envelope of a capture says of its source. */
export interface SourceIdentity {
  readonly version: string;
  /** The topics' prefix. */
  readonly name: string;
  readonly database: string;
}

export type SnapshotMarker =
  | "false"
  | "first"
  | "first_in_data_collection"
  | "true"
  | "last_in_data_collection"
  | "last"
  | "incremental";

export interface Envelope {
  readonly operation: "c" | "u" | "d" | "r" | "t";
  readonly before: OldRow | undefined;
  readonly after: { readonly row: Tuple; readonly old?: Tuple } | undefined;
  readonly lsn: number;
  readonly transaction: TransactionContext;
  readonly snapshot: SnapshotMarker;
  /** Order over the transaction and in the table; undefined in a snapshot, or where untold. */
  readonly order: { readonly total: number; readonly table: number } | undefined;
  readonly nowMs: number;
}

export interface EnvelopeTable {
  readonly schema: string;
  readonly table: string;
  readonly coded: CodedTable;
}

/** What the envelopes of one table share. */
export interface EnvelopeSetting {
  readonly source: SourceIdentity;
  readonly table: EnvelopeTable;
  /** Of the commit, and of the capture's clock. */
  readonly commitTime: Nanoseconds;
  readonly handledTime: Nanoseconds;
}

/** Union branches, as Avro writes their numbers. */
const nullBranch = 0;
const valueBranch = 2;

/** Writes the value of a change, in the order of the envelope's fields. */
export function writeEnvelope(to: AvroWriter, envelope: Envelope, about: EnvelopeSetting): void {
  const { coded } = about.table;
  const { before, after } = envelope;
  if (before) {
    to.byte(valueBranch);
    if (before.whole) writeRow(to, coded, before);
    else writeKeyOnlyRow(to, coded, before.row);
  } else to.byte(nullBranch);
  if (after) {
    to.byte(valueBranch);
    writeRow(to, coded, after);
  } else to.byte(nullBranch);
  writeSource(to, envelope, about);
  writeTransaction(to, envelope);
  to.ascii(envelope.operation);
  optionalLong(to, envelope.nowMs);
  optionalLong(to, envelope.nowMs * 1000);
  to.byte(valueBranch);
  to.raw(about.handledTime.encoded(envelope.nowMs * 1000));
}

/** What the field `source` tells of one change or message. */
export interface Origin {
  readonly lsn: number;
  readonly transaction: TransactionContext;
  readonly snapshot: SnapshotMarker;
}

/** Where a change or message comes from: the tables' names are empty for a message. */
export interface OriginSetting {
  readonly source: SourceIdentity;
  readonly table: { readonly schema: string; readonly table: string };
  readonly commitTime: Nanoseconds;
}

export function writeSource(
  to: AvroWriter,
  { lsn, transaction, snapshot }: Origin,
  { source, table, commitTime }: OriginSetting,
): void {
  const { commitTimeUs, origin, previousCommitLsn } = transaction;
  to.string(source.version);
  to.ascii("postgresql");
  to.string(source.name);
  to.long(Math.floor(commitTimeUs / 1000));
  // The first branch of `snapshot` is its text.
  to.byte(0);
  to.ascii(snapshot);
  to.string(source.database);
  to.byte(valueBranch);
  to.ascii(previousCommitLsn === 0 ? `[null,"${lsn}"]` : `["${previousCommitLsn}","${lsn}"]`);
  optionalLong(to, commitTimeUs);
  to.byte(valueBranch);
  to.raw(commitTime.encoded(commitTimeUs));
  to.string(table.schema);
  to.string(table.table);
  // Messages outside of transactions have none.
  if (transaction.transactionId === noTransaction) to.byte(nullBranch);
  else optionalLong(to, transaction.transactionId);
  // A row that is told while changes flow stands at no place of its own in the WAL.
  if (snapshot === "incremental") to.byte(nullBranch);
  else optionalLong(to, lsn);
  to.byte(nullBranch);
  writeOrigin(to, origin);
}

function writeOrigin(to: AvroWriter, origin: TransactionContext["origin"]): void {
  if (!origin) {
    to.byte(nullBranch);
    to.byte(nullBranch);
    return;
  }
  to.byte(valueBranch);
  to.string(origin.name);
  optionalLong(to, origin.lsn);
}

export function writeTransaction(
  to: AvroWriter,
  { transaction, lsn, order }: Pick<Envelope, "transaction" | "lsn" | "order">,
): void {
  if (!order) {
    to.byte(nullBranch);
    return;
  }
  to.byte(valueBranch);
  to.ascii(`${transaction.transactionId}:${lsn}`);
  to.long(order.total);
  to.long(order.table);
}

export function optionalLong(to: AvroWriter, value: number): void {
  to.byte(valueBranch);
  to.long(value);
}
