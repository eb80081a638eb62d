import type { Card, PartToRefund, PaymentToMake } from "./effects.ts";

export type { Card, PartToRefund, PaymentToMake } from "./effects.ts";

/** How a charge stands. */
export type ChargeAnswer =
  /** Not known yet: it will be told from outside (`PaymentOutcomes`), or never. */
  | { readonly outcome: "pending" }
  /** Charged; `reference` is the charge's name at the provider. */
  | { readonly outcome: "confirmed"; readonly reference: string }
  /** Refused for good; `reason` is the provider's code. */
  | { readonly outcome: "failed"; readonly reason: string };

export interface AskedOnce {
  /** The idempotency key: what was done under it is told again, and not done again. */
  readonly key: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface OpenPayment extends PaymentToMake, AskedOnce {}
export interface ChargeCard extends PaymentToMake, AskedOnce {
  readonly card: Card;
}
export interface RefundPart extends PartToRefund, AskedOnce {}

/**
 * Whoever moves the money. The key of `open` and `charge` is the same for one payment, so that
 * there is one charge at most, whichever of the two makes it. At or after `expiresAtMs` a charge
 * that has not been made is refused (`failed`), so that tries end.
 *
 * Throws TransientError when another try makes sense: no answer in time, too busy. It may have done
 * all the same what it was asked for. Any other error ends the tries, for an operator to look at.
 */
export interface PaymentProvider {
  /** Recorded with every outcome: `sandbox`. */
  readonly name: string;
  /** Tells of a payment that is due. */
  open(payment: OpenPayment): Promise<ChargeAnswer>;
  charge(charge: ChargeCard): Promise<ChargeAnswer>;
  /** @returns the refund's name at the provider. */
  refund(part: RefundPart): Promise<{ readonly reference: string }>;
}

/** An outcome that comes from outside: late, or more than once. */
export type ToldOutcome = { readonly provider: string; readonly paymentId: string } & Exclude<
  ChargeAnswer,
  { readonly outcome: "pending" }
>;

/** Where a provider tells outcomes. */
export interface PaymentOutcomes {
  /** Resolves when it is recorded. @throws TransientError: tell it again. */
  tell(outcome: ToldOutcome): Promise<void>;
}

/** Headers of a request, by their names in small letters; one that came twice is a list. */
export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export type WebhookVerdict =
  | { readonly kind: "told"; readonly outcome: ToldOutcome }
  /** It is signed, and tells something that is none of our concern. */
  | { readonly kind: "ignored" }
  | {
      readonly kind: "refused";
      readonly code: "signature-invalid" | "webhook-invalid";
      readonly detail: string;
    };

/** The ear of a provider that tells outcomes over HTTP. */
export interface PaymentWebhook {
  readonly provider: string;
  /** `body`: exactly the bytes of the request. */
  receive(body: Uint8Array, headers: WebhookHeaders): WebhookVerdict;
}
