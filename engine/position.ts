/**
 * Branded integers of the field: an offset can't be passed where a sequence is meant.
 * Ports speak bigint; inside a batch, cursors use plain numbers (safe below 2^53).
 */
declare const brand: unique symbol;
type Branded<Name extends string> = bigint & { readonly [brand]: Name };

/** A record's place in one partition of the log. The log's own numbering; holes are allowed. */
export type Offset = Branded<"Offset">;
/** An event's place in its lane (topic, partition): from 1, gapless, in commit order. */
export type Sequence = Branded<"Sequence">;
/** An event's identity in the event store: from 1, unique, neither gapless nor in commit order. */
export type GlobalPosition = Branded<"GlobalPosition">;
/** A writer's number; a higher one fences every lower one out. */
export type Epoch = Branded<"Epoch">;
/** A byte position in Postgres' write-ahead log. */
export type Lsn = Branded<"Lsn">;

export const offset = (value: bigint | number): Offset => nonNegative(value, "offset") as Offset;
export const sequence = (value: bigint | number): Sequence =>
  nonNegative(value, "sequence") as Sequence;
export const globalPosition = (value: bigint | number): GlobalPosition =>
  nonNegative(value, "position") as GlobalPosition;
export const epoch = (value: bigint | number): Epoch => nonNegative(value, "epoch") as Epoch;
export const lsn = (value: bigint | number): Lsn => nonNegative(value, "LSN") as Lsn;

function nonNegative(value: bigint | number, what: string): bigint {
  const integer = BigInt(value);
  if (integer < 0n)
    throw new RangeError(`A ${what} is never negative, and this one is ${integer}.`);
  return integer;
}

/**
 * Where a consumer stands in its source, beyond the log's offset.
 *
 * - `lane`: events of an event store. `nextSequence` is expected next: lower is a duplicate, higher
 *   a hole. The incarnation names the store's life: another one halts.
 * - `change`: row changes. The last one applied, as (commit LSN of the transaction before, order
 *   within its transaction), rising but not gapless: duplicates can be told, holes can't.
 * - `offset`: a stranger's topic. Only the log's own offset counts.
 */
export type SourcePosition =
  | { readonly kind: "lane"; readonly incarnation: string; readonly nextSequence: Sequence }
  | { readonly kind: "change"; readonly commitLsn: Lsn; readonly order: number }
  | { readonly kind: "offset" };

/** What is stored with every effect: one per consumer and partition. */
export interface Position {
  /** Identity of the topic in its log (`RecordLog.ensureTopic`): a topic made anew has another. */
  readonly logId: string;
  /** The first offset that is not yet applied. */
  readonly nextOffset: Offset;
  readonly source: SourcePosition;
}

/** Where to begin in a source. */
export type StartFrom =
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" }
  | { readonly kind: "atTimestamp"; readonly timestampMs: number }
  | { readonly kind: "afterPosition"; readonly positions: ReadonlyMap<number, Position> };
