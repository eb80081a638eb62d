import {
  type BookedRefund,
  type ChargeEntry,
  chargeKeyOf,
  type RefundEntry,
  refundReferenceOf,
} from "./books.ts";

/** What the books say of the charges that refunds name. */
export interface RefundGround {
  /** By key; only what was charged by now. */
  readonly charges: ReadonlyMap<string, Pick<ChargeEntry, "amountCents">>;
  /** All refunds of these charges. */
  readonly refunds: readonly RefundEntry[];
}

export interface JudgedRefunds {
  /** In the order of the entries. */
  readonly answers: readonly BookedRefund[];
  /** To be booked. */
  readonly made: readonly RefundEntry[];
}

/** Decides on refunds, each seeing those before it. */
export function judgeRefunds(
  entries: readonly RefundEntry[],
  { charges, refunds }: RefundGround,
): JudgedRefunds {
  const booked = new Map(refunds.map((refund) => [refund.key, refund]));
  const made: RefundEntry[] = [];
  const leftOf = (reference: string): number => {
    const charged = charges.get(chargeKeyOf(reference) ?? "")?.amountCents ?? 0;
    const back = [...booked.values()].filter((refund) => refund.reference === reference);
    return back.reduce((left, { amountCents }) => left - amountCents, charged);
  };
  const answers = entries.map((entry): BookedRefund => {
    const { key, reference, amountCents } = entry;
    if (!booked.has(key)) {
      const left = leftOf(reference);
      if (amountCents > left) {
        const reason = `${amountCents} cents of ${reference} can't be paid back: ${left} are left.`;
        return { outcome: "refused", reason };
      }
      booked.set(key, entry);
      made.push(entry);
    }
    return { outcome: "refunded", reference: refundReferenceOf(key) };
  });
  return { answers, made };
}
