import type { AppendedEvent } from "./appended.ts";
import type { DeadlineChange } from "./deadlines.ts";
import type { EffectSettlement, NewEffect } from "./effect-ledger.ts";

/**
 * A command that a client may send again under a key of its own: its first answer is kept, in the
 * transaction that keeps its events, and every later one gets the same.
 */
export interface OnceMark {
  /** Whose keys these are: keys of two scopes have nothing to do with each other. */
  readonly scope: string;
  readonly key: string;
  /** Of what was asked: the same key with another one is a mistake of the client. */
  readonly fingerprint: string;
  /**
   * What is kept, a JSON value: made before the append, of which it tells nothing. With one that
   * can't be written as JSON the request fails (`InvariantViolation`).
   */
  readonly answer: unknown;
  /**
   * Ids of the request's events that the answer is about, in an order of the caller's; there may be
   * none. What the store gave them is found with the answer, whichever append recorded them.
   */
  readonly events: readonly string[];
}

/** The answer that is kept under a key. */
export interface AnsweredOnce {
  readonly state: "answered";
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  /** The mark's, as JSON gives it back. */
  readonly answer: unknown;
  /** What the store gave the mark's events, in the mark's order. */
  readonly events: readonly AppendedEvent[];
  /** By the store's clock, in whole milliseconds since 1970 (UTC): a little after the verdict. */
  readonly keptAtMs: number;
}

/** What a key stands for. */
export type KeptOnce =
  | AnsweredOnce
  /** Somebody else is at it, in a transaction that is still open. */
  | { readonly state: "in-progress"; readonly scope: string; readonly key: string };

/**
 * What becomes durable in an append's own transaction, together with its events or not at all: when
 * the verdict isn't `appended`, nothing of it is written. A request without events (a refusal, or a
 * decision whose answer only tells what is so already) may have it too.
 *
 * A request that the store knows already (`duplicate`) writes it again, which changes nothing:
 * marks and effects have keys, and its deadlines, which may be over since, are left alone.
 *
 * Marks are looked at first: a request with one that stands for something already, or that it names
 * twice, is `repeated`, whatever else is true of it. Nobody waits for a mark: one in a transaction
 * that is still open is told as `in-progress`.
 */
export interface Alongside {
  readonly once?: readonly OnceMark[];
  /** Effects to be had; one that is known under its key is left as it is. */
  readonly effects?: readonly NewEffect[];
  /** Effects that this append is the answer to. */
  readonly settled?: readonly EffectSettlement[];
  /** Applied in this order. */
  readonly deadlines?: readonly DeadlineChange[];
}
