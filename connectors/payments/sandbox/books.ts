/** What is to be written under a key, unless something is there. */
export interface ChargeEntry {
  readonly key: string;
  readonly paymentId: string;
  readonly amountCents: number;
  /** undefined: charged; otherwise why not. */
  readonly refused: string | undefined;
  /** Milliseconds since 1970 (UTC): when it is charged, or was refused. */
  readonly atMs: number;
  /** The outcome is to be told from outside at this time; undefined: its answer is enough. */
  readonly tellAtMs: number | undefined;
  /** As many of the first answers get lost. */
  readonly answersLost: number;
}

export interface BookedCharge extends ChargeEntry {
  /** How often it was asked for, this time included. */
  readonly asked: number;
}

export interface RefundEntry {
  readonly key: string;
  /** Of the charge. */
  readonly reference: string;
  readonly amountCents: number;
}

export type BookedRefund =
  | { readonly outcome: "refunded"; readonly reference: string }
  /** There is no such charge, or what is left of it is less. */
  | { readonly outcome: "refused"; readonly reason: string };

/**
 * The books of the sandbox. They are its own: it plays a system outside, whose transactions have
 * nothing to do with ours. What is written under a key is written once.
 */
export interface SandboxBooks {
  /** @returns what is booked under each entry's key now, in the order of the entries. */
  charge(entries: readonly ChargeEntry[]): Promise<readonly BookedCharge[]>;
  /** @returns in the order of the entries. Never more is paid back than was charged. */
  refund(entries: readonly RefundEntry[]): Promise<readonly BookedRefund[]>;
  /**
   * Outcomes that are to be told now, the earliest first. They are due again after `leaseMs` unless
   * `told` says that they were; two callers at once never get the same.
   */
  due(ask: {
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly BookedCharge[]>;
  told(keys: readonly string[]): Promise<void>;
  /** All that was asked for, in order of key. */
  charges(): Promise<readonly BookedCharge[]>;
  refunds(): Promise<readonly RefundEntry[]>;
}

const chargePrefix = "ch:";

/** The charge's name for others. */
export const referenceOf = (key: string): string => `${chargePrefix}${key}`;

/** undefined: no name of a charge. */
export const chargeKeyOf = (reference: string): string | undefined =>
  reference.startsWith(chargePrefix) ? reference.slice(chargePrefix.length) : undefined;

export const refundReferenceOf = (key: string): string => `re:${key}`;
