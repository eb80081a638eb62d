import { type Claim, count, money } from "./claim.ts";
import type { Charge, Evidence, Refund } from "./evidence.ts";
import type { FoldedPayment } from "./payment-fold.ts";

/** What must hold of money: the provider's own books against the log. */
export function paymentClaims(evidence: Evidence): readonly Claim[] {
  return [
    chargedOnce(evidence),
    chargesAreConfirmed(evidence),
    seatsArePaid(evidence),
    refundsAreRight(evidence),
  ];
}

const sum = (entries: readonly { readonly amountCents: number }[]): number =>
  entries.reduce((all, { amountCents }) => all + amountCents, 0);

function chargedOnce({ charges, payments }: Evidence): Claim {
  const against: string[] = [];
  for (const [id, of] of Map.groupBy(charges, ({ paymentId }) => paymentId)) {
    if (of.length > 1) against.push(`${id} was charged ${of.length} times`);
    const asked = payments.payments.get(id)?.amountCents;
    if (of.some(({ amountCents }) => amountCents !== asked)) {
      against.push(`${id} was charged ${money(sum(of))} for ${money(asked ?? 0)}`);
    }
  }
  return {
    says: "Nobody was charged twice, or another amount (in the provider's own books)",
    rests: `${count(charges.length, "charge")} for ${count(payments.payments.size, "payment")}, ${money(sum(charges))} in all`,
    against,
  };
}

function chargesAreConfirmed({ charges, payments }: Evidence): Claim {
  const charged = new Set(charges.map(({ paymentId }) => paymentId));
  const confirmed = [...payments.payments.values()].filter((one) => one.confirmed > 0);
  const unknown = [...charged].filter((id) => (payments.payments.get(id)?.confirmed ?? 0) === 0);
  return {
    says: "Every charge is confirmed in the log once, and nothing else is",
    rests: count(confirmed.length, "confirmation"),
    against: [
      ...unknown.map((id) => `${id} was charged, and is not confirmed`),
      ...confirmed.filter((one) => one.confirmed > 1).map((one) => `${one.paymentId}, twice`),
      ...confirmed
        .filter(({ paymentId }) => !charged.has(paymentId))
        .map(({ paymentId }) => `${paymentId} is confirmed, and was not charged`),
    ],
  };
}

function seatsArePaid({ seats, payments }: Evidence): Claim {
  const paidFor = new Set(
    [...payments.payments.values()]
      .filter(({ confirmed }) => confirmed > 0)
      .flatMap(({ registrations }) => registrations.map(({ registrationId }) => registrationId)),
  );
  const fees = [...seats.registrations.values()].filter(({ feeCents, status }) => {
    return feeCents > 0 && status === "completed";
  });
  return {
    says: "Every seat with a fee that somebody has is paid for",
    rests: count(fees.length, "seat"),
    against: fees
      .filter(({ registrationId }) => !paidFor.has(registrationId))
      .map(({ registrationId }) => `${registrationId} is not`),
  };
}

/** One refund of each part whose seat was lost, and of nothing else. */
function refundsAreRight({ seats, payments, charges, refunds }: Evidence): Claim {
  const byReference = new Map(charges.map((charge) => [`ch:${charge.key}`, charge]));
  const made = Map.groupBy(refunds, ({ reference }) => byReference.get(reference)?.paymentId);
  const chargesOf = Map.groupBy(charges, ({ paymentId }) => paymentId);
  const against = (made.get(undefined) ?? []).map(({ key }) => `${key} pays back no charge`);
  for (const payment of payments.payments.values()) {
    const charged = chargesOf.get(payment.paymentId) ?? [];
    const cents = sum(made.get(payment.paymentId) ?? []);
    const owed = lostCents(payment, charged, (id) => seats.registrations.get(id)?.status);
    if (cents !== owed || payment.refundedCents !== owed) {
      against.push(
        `${payment.paymentId}: ${money(owed)} were to be paid back, ${money(cents)} were, and ` +
          `the log says ${money(payment.refundedCents)}`,
      );
    }
  }
  return {
    says: "What was charged for a seat that was lost is paid back, once, and nothing else is",
    rests: refundsText(refunds),
    against,
  };
}

const refundsText = (refunds: readonly Refund[]): string =>
  `${count(refunds.length, "refund")}, ${money(sum(refunds))} in all`;

function lostCents(
  { registrations }: FoldedPayment,
  charged: readonly Charge[],
  statusOf: (registrationId: string) => string | undefined,
): number {
  if (charged.length === 0) return 0;
  return sum(registrations.filter(({ registrationId: id }) => statusOf(id) === "cancelled"));
}
