import type { Lsn, Offset, Sequence } from "../position.ts";

/** Where letters belong: one consumer's build of one partition. */
export interface LetterPlace {
  /** Name of the projection or processor that could not use the record. */
  readonly consumer: string;
  /** Of the projection; 0 for a processor. */
  readonly generation: number;
  readonly topic: string;
  readonly partition: number;
}

/** The record's place in its source, where it could be told. */
export type LetterSource =
  | { readonly kind: "lane"; readonly incarnation: string; readonly sequence: Sequence }
  | { readonly kind: "change"; readonly commitLsn: Lsn; readonly order: number }
  /** It has none, or it stands in a value that can't be decoded. */
  | { readonly kind: "unknown" };

/**
 * - `failed`: this record can't work.
 * - `waiting`: an earlier record of its key failed.
 * - `redriven`: it was applied after all.
 * - `discarded`: an operator has left it out, for the reason told.
 *
 * The first two are open: as long as a key has an open letter, its later records wait.
 */
export type Disposition = "failed" | "waiting" | "redriven" | "discarded";

/** A record set aside, whole. */
export interface DeadLetter extends LetterPlace {
  readonly offset: Offset;
  readonly source: LetterSource;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[];
  readonly disposition: "failed" | "waiting";
  /** The error's code: `decode`, `fold`, `schema-unknown`, ... */
  readonly cause: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** What an operator wants done with a letter; `with-parked` means all the key's later ones too. */
export type LetterAction = "redrive" | "discard" | "discard-with-parked";

/** An operator's wish that the owner of the partition has not answered yet. */
export interface LetterAsk {
  readonly action: LetterAction;
  readonly reason: string | undefined;
}

export interface StoredDeadLetter extends Omit<DeadLetter, "disposition"> {
  readonly id: bigint;
  readonly disposition: Disposition;
  /** When it was set aside. */
  readonly firstAt: Date;
  /** When it was last tried. */
  readonly lastAt: Date;
  /** How often it was tried; 0: it has only waited. */
  readonly attempts: number;
  readonly asked: LetterAsk | undefined;
  /** How often something was asked for it: tells an answer to an old wish from one to a new. */
  readonly asks: number;
  /** When it was redriven or discarded, */
  readonly settledAt: Date | undefined;
  /** and why it was discarded. */
  readonly reason: string | undefined;
}

/**
 * What a flush makes of an open letter, in one transaction with the rows that show it. The letter
 * must be open still: where one isn't, the flush writes nothing and throws `FencedError`.
 */
export interface LetterSettlement {
  readonly id: bigint;
  readonly disposition: Disposition;
  /** Tries that this settlement adds: 0 or 1. */
  readonly tries: number;
  /** Of the last try, where it failed; otherwise what is stored stays. */
  readonly failure:
    | { readonly cause: string; readonly message: string; readonly stack: string | undefined }
    | undefined;
  readonly reason: string | undefined;
  /** `asks` as it was read: a wish that has come since stays. */
  readonly asks: number;
  /** What the letter goes on asking for; undefined: all was answered. */
  readonly asking: LetterAsk | undefined;
}

/** The open letters of one key of a place. */
export interface ParkedKey {
  /** null: records without a key. Nothing waits behind them. */
  readonly key: Uint8Array | null;
  readonly failed: number;
  readonly waiting: number;
}

export interface LettersOfKey extends LetterPlace {
  readonly key: Uint8Array | null;
}

/** Which letters an operator means: only `failed` ones can be asked for. */
export type LetterSelection =
  | { readonly kind: "one"; readonly id: bigint }
  | { readonly kind: "consumer"; readonly consumer: string }
  | { readonly kind: "all" };

export interface LetterFilter {
  readonly consumer?: string;
  readonly disposition?: Disposition;
  /** Letters with a higher id. */
  readonly after?: bigint;
  readonly limit: number;
}

/**
 * Records set aside. Letters are written and settled by flushes, with the position and the rows
 * that belong to it; here they are read, and here operators say what they want done. Who owns the
 * letter's partition does it, so that a redriven record meets the same fence as any other.
 *
 * Letters are never deleted. Failures: `TransientError` when the store can't be reached.
 */
export interface DeadLetters {
  /** Keys with open letters: their later records must wait. In no order. */
  parked(place: LetterPlace): Promise<readonly ParkedKey[]>;
  /**
   * A key's open letters in order of offset, which is the order to redrive them in; of records
   * without a key only those with a wish.
   */
  open(of: LettersOfKey, limit: number): Promise<readonly StoredDeadLetter[]>;
  /**
   * Asks for what is to be done; a newer wish replaces an older one.
   *
   * @returns The ids of the letters that were `failed`, at most `limit`, in order.
   */
  ask(letters: LetterSelection, ask: LetterAsk, limit: number): Promise<readonly bigint[]>;
  /** Keys that have letters with a wish, at most `limit`, those with the oldest letters first. */
  asked(limit: number): Promise<readonly LettersOfKey[]>;
  /** How many of these letters have a wish that isn't answered. */
  unanswered(ids: readonly bigint[]): Promise<number>;
  find(id: bigint): Promise<StoredDeadLetter | undefined>;
  /** In order of id, which is the order of writing. */
  list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]>;
  /** By consumer and disposition. */
  counts(): Promise<readonly LetterCount[]>;
}

export interface LetterCount {
  readonly consumer: string;
  readonly disposition: Disposition;
  readonly letters: number;
  /** Distinct keys that the letters are of (records without a key left out). */
  readonly keys: number;
}
