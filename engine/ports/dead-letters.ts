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

/** A value that takes the place of the record's own, which is kept. */
export interface LetterEdit {
  /** Framed as the record's value must be. */
  readonly value: Uint8Array;
  readonly by: string;
  readonly reason: string | undefined;
  readonly at: Date;
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
  /** The newest one: what is redriven, and what replays fold once it was. */
  readonly edit: LetterEdit | undefined;
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

/** Bounds of what `open` brings. */
export interface OpenLettersMax {
  readonly letters: number;
  /** Of their values together. The first two letters come whatever is said here. */
  readonly bytes: number;
}

export interface OpenLetters {
  /** Key after key as they were asked for, each key's in order of offset. */
  readonly letters: readonly StoredDeadLetter[];
  /** There are more than the bounds let through: the last key may lack its end. */
  readonly more: boolean;
}

/** Which letters are meant: those to which everything that is given applies; `{}` means all. */
export interface LetterCriteria {
  readonly id?: bigint;
  readonly consumer?: string;
  readonly generation?: number;
  readonly cause?: string;
  readonly topic?: string;
  readonly partition?: number;
  readonly key?: Uint8Array;
  /** Full name of the event type, as the record's envelope tells it. */
  readonly type?: string;
  readonly correlationId?: string;
  /** Set aside at or after this time, */
  readonly from?: Date;
  /** and before this one. */
  readonly until?: Date;
  readonly disposition?: Disposition | readonly Disposition[];
  /** Those that this order was the last to ask for. */
  readonly order?: bigint;
  /** Those that have been edited, or have not. */
  readonly edited?: boolean;
}

export interface LetterFilter extends LetterCriteria {
  /** Letters with a higher id. */
  readonly after?: bigint;
  readonly limit: number;
}

/** Letters that have the same fault. */
export interface LetterGroup {
  readonly consumer: string;
  readonly cause: string;
  /** Full name of the event type; undefined where the record has no envelope. */
  readonly type: string | undefined;
  /** Of the record's frame; undefined where it has none. */
  readonly schemaId: number | undefined;
  readonly topic: string;
  readonly letters: number;
  /** Distinct keys (records without a key left out). */
  readonly keys: number;
  /** Letters that wait behind them. */
  readonly waiting: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** The oldest letter, with what it failed of. */
  readonly example: { readonly id: bigint; readonly message: string };
}

/** What an order for these letters would mean. */
export interface LetterSurvey {
  /** `failed` letters that fit: what would be asked for. */
  readonly letters: number;
  /** Distinct keys; a record without a key counts as one of its own. */
  readonly keys: number;
  /** Letters that wait behind them, and would be taken up after them. */
  readonly waiting: number;
  /** The first keys, in order of their oldest letter. */
  readonly first: readonly (LettersOfKey & {
    readonly letters: number;
    readonly waiting: number;
    readonly firstId: bigint;
  })[];
}

export interface LetterOrderRequest {
  /** Of these, the ones that are `failed` when their turn comes. */
  readonly letters: LetterCriteria;
  readonly action: LetterAction;
  readonly by: string;
  readonly reason: string | undefined;
  /** How many letters a second are taken up, those that wait behind them included; undefined: all. */
  readonly lettersPerSecond?: number | undefined;
}

/**
 * - `open`: not all of its letters are asked for yet.
 * - `asked`: all are; `unanswered` says how many the owners of their partitions still have to do.
 * - `stopped`: an operator has stopped it; what was asked for before goes on.
 */
export type LetterOrderState = "open" | "asked" | "stopped";

/** What an operator has ordered, and how far it is. */
export interface LetterOrder extends LetterOrderRequest {
  readonly id: bigint;
  readonly at: Date;
  readonly state: LetterOrderState;
  /** Who has stopped it, by the store's clock; undefined: nobody, or an earlier version's user. */
  readonly stopped: { readonly by: string; readonly at: Date } | undefined;
  /** Failed letters that fitted when it was ordered. */
  readonly matched: number;
  /** Letters that were asked for so far. */
  readonly asked: number;
  /** Of these, the ones that no later order has asked for: not answered yet, */
  readonly unanswered: number;
  /** applied, */
  readonly redriven: number;
  /** left out, */
  readonly discarded: number;
  /** tried and failed again, or not tried because one before them has. */
  readonly failed: number;
}

/** What somebody has done to a letter. */
export interface LetterAct {
  readonly at: Date;
  readonly act: LetterAction | "edit";
  readonly by: string;
  readonly reason: string | undefined;
  readonly order: bigint | undefined;
  /** Of an edit. */
  readonly value: Uint8Array | undefined;
}

/** Why a letter was not edited: only a failed one that nobody is about to redrive can be. */
export type EditVerdict = "edited" | "unknown" | "waiting" | "settled" | "asked";

/**
 * Records set aside. Letters are written and settled by flushes, with the position and the rows
 * that belong to it; here they are read, and here operators say what they want done. Who owns the
 * letter's partition does it, so that a redriven record meets the same fence as any other.
 *
 * Letters are never deleted, nor is what was done to them. Failures: `TransientError` when the store
 * can't be reached.
 */
export interface DeadLetters {
  /** Keys with open letters: their later records must wait. In no order. */
  parked(place: LetterPlace): Promise<readonly ParkedKey[]>;
  /**
   * The open letters of these keys, in the order to redrive them in; of records without a key only
   * those with a wish.
   */
  open(of: readonly LettersOfKey[], max: OpenLettersMax): Promise<OpenLetters>;
  /**
   * Writes an order down and asks for the first of its letters, in order of id; a newer wish for a
   * letter replaces an older one. Letters that are set aside later are not meant.
   */
  order(request: LetterOrderRequest): Promise<LetterOrder>;
  /**
   * Asks for more letters of open orders, at the pace that each has: any process may call it, and
   * an order is passed on by one of them at a time. The store's clock counts.
   *
   * @returns How many were asked for.
   */
  release(limit: number): Promise<number>;
  /** Stops an order under somebody's name. False when it isn't open: then nothing is recorded. */
  stopOrder(id: bigint, by: string): Promise<boolean>;
  findOrder(id: bigint): Promise<LetterOrder | undefined>;
  /** The newest first. */
  orders(limit: number): Promise<readonly LetterOrder[]>;
  /** Gives a failed letter another value. The original stays, and every edit is kept. */
  edit(
    id: bigint,
    edit: { readonly value: Uint8Array; readonly by: string; readonly reason: string | undefined },
  ): Promise<EditVerdict>;
  /** What was done to a letter, the oldest first. */
  acts(id: bigint, limit: number): Promise<readonly LetterAct[]>;
  /**
   * Keys that have letters with a wish, at most `limit`, those with the oldest letters first. `of`:
   * only of these builds, so that letters of what runs nowhere keep no others from being seen.
   */
  asked(
    limit: number,
    of?: readonly Pick<LetterPlace, "consumer" | "generation">[],
  ): Promise<readonly LettersOfKey[]>;
  find(id: bigint): Promise<StoredDeadLetter | undefined>;
  /** In order of id, which is the order of writing. */
  list(filter: LetterFilter): Promise<readonly StoredDeadLetter[]>;
  /** By fault, the one with the most letters first. */
  groups(criteria: LetterCriteria, limit: number): Promise<readonly LetterGroup[]>;
  /** `keysMax`: of those that are told one by one. */
  survey(criteria: LetterCriteria, keysMax: number): Promise<LetterSurvey>;
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

/**
 * Brings every disposition of every letter out of the store, at least once: what a crash has
 * interrupted comes again. One process at a time publishes, in order of id; a letter comes anew with
 * each disposition that it is found to have.
 */
export interface LetterFeed {
  /**
   * Publishes the first letters that have news. What `publish` has resolved for is not given again;
   * when it rejects, everything is.
   *
   * @returns How many were published; `elsewhere` while another process does.
   */
  publish(
    limit: number,
    publish: (letters: readonly StoredDeadLetter[]) => Promise<void>,
  ): Promise<number | "elsewhere">;
}
