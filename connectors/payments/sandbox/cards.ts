/** What the sandbox does with a card. */
export type CardPlan =
  /** No answer ever comes, and nothing is charged. */
  | { readonly kind: "silent" }
  | { readonly kind: "refused"; readonly reason: string }
  | {
      readonly kind: "charged";
      /** Milliseconds since 1970 (UTC): until then the outcome is pending, and it is told then. */
      readonly atMs: number;
      /** Is it told although it was answered? */
      readonly toldAgain: boolean;
      /** As many answers get lost on their way. */
      readonly answersLost: number;
    };

export interface CardTimes {
  readonly nowMs: number;
  /** When the payment is due. */
  readonly expiresAtMs: number;
  /** How long after that a late charge is made. */
  readonly lateMs: number;
}

/** Lost answers of `tok_lost_answer`: more than one, so that the second try isn't the last. */
const answersLost = 2;

/** A delay beyond this is taken for this. */
const delayMaxMs = 24 * 60 * 60 * 1000;

/**
 * A card token says what becomes of its charge: `tok_ok`, `tok_declined`, `tok_insufficient_funds`,
 * `tok_no_answer`, `tok_lost_answer` (charged, and the first answers are lost), `tok_late` (charged
 * after the payment was due), `tok_duplicate` (its outcome is told twice), `tok_delay_<ms>`. Any
 * other is declined.
 */
export function planOfCard(token: string, times: CardTimes): CardPlan {
  const { nowMs, expiresAtMs, lateMs } = times;
  const charged = { kind: "charged", atMs: nowMs, toldAgain: false, answersLost: 0 } as const;
  switch (token) {
    case "tok_ok":
      return charged;
    case "tok_no_answer":
      return { kind: "silent" };
    case "tok_lost_answer":
      return { ...charged, answersLost };
    case "tok_late":
      return { ...charged, atMs: Math.max(nowMs, expiresAtMs + lateMs) };
    case "tok_duplicate":
      return { ...charged, toldAgain: true };
    case "tok_insufficient_funds":
      return { kind: "refused", reason: "INSUFFICIENT_FUNDS" };
    default: {
      const delayMs = /^tok_delay_(\d{1,9})$/.exec(token)?.[1];
      if (delayMs === undefined) return { kind: "refused", reason: "CARD_DECLINED" };
      return { ...charged, atMs: nowMs + Math.min(Number(delayMs), delayMaxMs) };
    }
  }
}
