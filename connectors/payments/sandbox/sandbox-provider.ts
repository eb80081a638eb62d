import { TransientError } from "../../../engine/errors.ts";
import type { Clock } from "../../../engine/ports/clock.ts";
import type {
  ChargeAnswer,
  ChargeCard,
  OpenPayment,
  PaymentProvider,
  RefundPart,
} from "../../../processors/payments/provider.ts";
import {
  type BookedCharge,
  type BookedRefund,
  type ChargeEntry,
  type RefundEntry,
  referenceOf,
  type SandboxBooks,
} from "./books.ts";
import { type CardPlan, planOfCard } from "./cards.ts";
import { asFailure } from "./failures.ts";
import { Gathering } from "./gathering.ts";

export interface SandboxProviderOptions {
  readonly books: SandboxBooks;
  readonly clock: Pick<Clock, "nowMs">;
  /** Pays every payment with this card as soon as it is opened. */
  readonly autoCard?: string | undefined;
  /** How long after its time a late charge is made. */
  readonly lateMs?: number;
  /** Entries of one statement. */
  readonly gatherMax?: number;
  readonly callsInFlightMax?: number;
  readonly waitingMax?: number;
}

/**
 * A payment provider that is played here: what becomes of a charge is in the card's token (see
 * `planOfCard`), and its books are its own. Outcomes that come from outside are told by a `Teller`.
 */
export class SandboxProvider implements PaymentProvider {
  readonly name = "sandbox";
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #autoCard: string | undefined;
  readonly #lateMs: number;
  readonly #charges: Gathering<ChargeEntry, BookedCharge>;
  readonly #refunds: Gathering<RefundEntry, BookedRefund>;

  constructor(options: SandboxProviderOptions) {
    const { books, clock, autoCard, lateMs = 1_000 } = options;
    const { gatherMax = 500, callsInFlightMax = 2, waitingMax = 100_000 } = options;
    const limits = { gatherMax, callsInFlightMax, waitingMax };
    this.#clock = clock;
    this.#autoCard = autoCard;
    this.#lateMs = lateMs;
    this.#charges = new Gathering({ answer: (asks) => books.charge(asks), ...limits });
    this.#refunds = new Gathering({ answer: (asks) => books.refund(asks), ...limits });
  }

  async open(payment: OpenPayment): Promise<ChargeAnswer> {
    if (this.#autoCard === undefined) return { outcome: "pending" };
    return this.charge({ ...payment, card: { token: this.#autoCard } });
  }

  async charge(charge: ChargeCard): Promise<ChargeAnswer> {
    const nowMs = this.#clock.nowMs();
    const { expiresAtMs, signal } = charge;
    const plan =
      nowMs < expiresAtMs
        ? planOfCard(charge.card.token, { nowMs, expiresAtMs, lateMs: this.#lateMs })
        : ({ kind: "refused", reason: "PAYMENT_EXPIRED" } as const);
    if (plan.kind === "silent") return silence(signal);
    const booked = await this.#ask(this.#charges, entryOf(charge, plan, nowMs));
    return answerOf(booked, nowMs);
  }

  async refund({ key, reference, amountCents }: RefundPart): Promise<{ reference: string }> {
    const booked = await this.#ask(this.#refunds, { key, reference, amountCents });
    if (booked.outcome === "refused") throw new Error(booked.reason);
    return { reference: booked.reference };
  }

  async #ask<Ask, Answer>(gathering: Gathering<Ask, Answer>, ask: Ask): Promise<Answer> {
    try {
      return await gathering.ask(ask);
    } catch (error) {
      throw asFailure(error);
    }
  }
}

type SpokenPlan = Exclude<CardPlan, { readonly kind: "silent" }>;

function entryOf(charge: ChargeCard, plan: SpokenPlan, nowMs: number): ChargeEntry {
  const { key, paymentId, amountCents } = charge;
  const entry = { key, paymentId, amountCents };
  if (plan.kind === "refused") {
    return { ...entry, refused: plan.reason, atMs: nowMs, tellAtMs: undefined, answersLost: 0 };
  }
  const { atMs, answersLost } = plan;
  const tellAtMs = plan.toldAgain || atMs > nowMs ? atMs : undefined;
  return { ...entry, refused: undefined, atMs, tellAtMs, answersLost };
}

function answerOf(booked: BookedCharge, nowMs: number): ChargeAnswer {
  if (booked.asked <= booked.answersLost) {
    throw new TransientError("answer-lost", "The sandbox's answer was lost on its way.");
  }
  if (booked.refused !== undefined) return { outcome: "failed", reason: booked.refused };
  if (booked.atMs > nowMs) return { outcome: "pending" };
  return { outcome: "confirmed", reference: referenceOf(booked.key) };
}

/** Rejects when nobody waits any more. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new TransientError("no-answer", "The sandbox did not answer."));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
