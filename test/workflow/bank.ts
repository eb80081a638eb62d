import { TransientError } from "../../engine/errors.ts";
import type { Random } from "../../engine/ports/clock.ts";
import type {
  ChargeAnswer,
  ChargeCard,
  PaymentProvider,
  RefundPart,
  ToldOutcome,
} from "../../processors/payments/index.ts";

interface Charged {
  readonly paymentId: string;
  readonly amountCents: number;
  readonly answer: ChargeAnswer;
}

/** How the bank behaves towards one card. */
export type Mood = "pays" | "declines" | "loses-answers" | "says-nothing" | "pays-late" | "repeats";

export const moods: readonly Mood[] = [
  "pays",
  "declines",
  "loses-answers",
  "says-nothing",
  "pays-late",
  "repeats",
];

/**
 * A provider of payments with books of its own, outside of every process: what it has done stays
 * done, whoever dies meanwhile. The card's token is its mood.
 */
export class Bank implements PaymentProvider {
  readonly name = "bank";
  /** By idempotency key: at most one charge for each. */
  readonly charges = new Map<string, Charged>();
  readonly refunds = new Map<string, RefundPart>();
  /** Outcomes that it is still to tell. */
  readonly untold: ToldOutcome[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  async open(): Promise<ChargeAnswer> {
    this.#stumble();
    return { outcome: "pending" };
  }

  async charge({ key, paymentId, amountCents, card }: ChargeCard): Promise<ChargeAnswer> {
    this.#stumble();
    const mood = card.token as Mood;
    const known = this.charges.get(key);
    if (known) return known.answer;
    if (mood === "says-nothing") return { outcome: "pending" };
    if (mood === "declines") return this.#told({ outcome: "failed", reason: "CARD_DECLINED" });
    const answer = { outcome: "confirmed", reference: `charge-${this.charges.size + 1}` } as const;
    this.charges.set(key, { paymentId, amountCents, answer });
    if (mood === "loses-answers") throw new TransientError("no-answer", "The answer got lost.");
    if (mood !== "pays") this.untold.push({ provider: this.name, paymentId, ...answer });
    return mood === "pays-late" ? { outcome: "pending" } : this.#told(answer);
  }

  async refund(part: RefundPart): Promise<{ readonly reference: string }> {
    this.#stumble();
    if (!this.refunds.has(part.key)) this.refunds.set(part.key, part);
    if (this.#random.next() < 0.2) throw new TransientError("no-answer", "The answer got lost.");
    return { reference: `refund-of-${part.key}` };
  }

  #told(answer: ChargeAnswer): ChargeAnswer {
    this.#stumble();
    return answer;
  }

  #stumble(): void {
    if (this.#random.next() < 0.1) throw new TransientError("busy", "The bank is busy.");
  }
}
