import type { LoggedEvent } from "./log-events.ts";

export interface PaidPart {
  readonly registrationId: string;
  readonly amountCents: number;
}

export interface FoldedPayment {
  readonly paymentId: string;
  readonly amountCents: number;
  readonly registrations: readonly PaidPart[];
  started: boolean;
  confirmed: number;
  failed: boolean;
  expired: boolean;
  refundedCents: number;
}

/** What the events of payments mean, told a second time. */
export class PaymentFold {
  readonly payments = new Map<string, FoldedPayment>();
  readonly impossible: string[] = [];
  events = 0;

  take(event: LoggedEvent): void {
    this.events += 1;
    const paymentId = String(event.fields["paymentId"]);
    if (event.type === "PaymentRequested") return this.#requested(event, paymentId);
    const payment = this.payments.get(paymentId);
    if (payment === undefined)
      this.impossible.push(`${event.type} of ${paymentId}, never asked for`);
    else this.#apply(event, payment);
  }

  #requested({ fields }: LoggedEvent, paymentId: string): void {
    if (this.payments.has(paymentId)) this.impossible.push(`${paymentId} was asked for twice`);
    this.payments.set(paymentId, {
      paymentId,
      amountCents: Number(fields["amountCents"]),
      registrations: fields["registrations"] as readonly PaidPart[],
      started: false,
      confirmed: 0,
      failed: false,
      expired: false,
      refundedCents: 0,
    });
  }

  #apply({ type, fields }: LoggedEvent, payment: FoldedPayment): void {
    switch (type) {
      case "PaymentStarted":
        payment.started = true;
        return;
      case "PaymentConfirmed":
        payment.confirmed += 1;
        return;
      case "PaymentFailed":
        payment.failed = true;
        return;
      case "PaymentDeadlinePassed":
        payment.expired = true;
        return;
      case "PaymentRefunded":
        payment.refundedCents += Number(fields["amountCents"]);
        return;
      default:
        this.impossible.push(`${type} is of a type that this account doesn't know`);
    }
  }
}
