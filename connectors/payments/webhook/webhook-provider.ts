import type {
  ChargeAnswer,
  ChargeCard,
  OpenPayment,
  PaymentProvider,
  RefundPart,
} from "../../../processors/payments/provider.ts";
import { ProviderClient, type ProviderClientOptions } from "./provider-client.ts";

/** The provider's name where none is given: `POST /payments/webhooks/webhook`. */
export const webhookProviderName = "webhook";

export interface WebhookProviderOptions extends ProviderClientOptions {
  readonly name?: string;
}

/**
 * A provider that is asked over HTTP, and tells outcomes by webhook:
 *
 * - `POST <url>/payments {paymentId, amountCents, studentId, registrationIds, expiresAt}`: one is due
 * - `POST <url>/charges {..., token}`: a card is to be charged
 * - `POST <url>/refunds {paymentId, registrationId, reference, amountCents, reason}`
 *
 * The first two answer `{status}`: `pending`, `confirmed` with `reference`, or `failed` with
 * `reason`; the third `{reference}`. The idempotency key of the first two is the same.
 */
export class WebhookProvider implements PaymentProvider {
  readonly name: string;
  readonly #client: ProviderClient;

  constructor({ name = webhookProviderName, ...options }: WebhookProviderOptions) {
    this.name = name;
    this.#client = new ProviderClient(options);
  }

  async open(payment: OpenPayment): Promise<ChargeAnswer> {
    const { key, signal } = payment;
    const body = bodyOf(payment);
    return answerIn(await this.#client.post({ path: "/payments", key, signal, body }));
  }

  async charge(charge: ChargeCard): Promise<ChargeAnswer> {
    const { key, signal, card } = charge;
    const body = { ...bodyOf(charge), token: card.token };
    return answerIn(await this.#client.post({ path: "/charges", key, signal, body }));
  }

  async refund(part: RefundPart): Promise<{ readonly reference: string }> {
    const { key, signal, paymentId, registrationId, reference, amountCents, reason } = part;
    const body = { paymentId, registrationId, reference, amountCents, reason };
    const answer = await this.#client.post({ path: "/refunds", key, signal, body });
    return { reference: textIn(answer, "reference") };
  }
}

const bodyOf = ({ expiresAtMs, ...payment }: OpenPayment) => ({
  paymentId: payment.paymentId,
  amountCents: payment.amountCents,
  studentId: payment.studentId,
  registrationIds: payment.registrationIds,
  expiresAt: new Date(expiresAtMs).toISOString(),
});

function answerIn(answer: Readonly<Record<string, unknown>>): ChargeAnswer {
  const { status } = answer;
  switch (status) {
    case "pending":
      return { outcome: "pending" };
    case "confirmed":
      return { outcome: "confirmed", reference: textIn(answer, "reference") };
    case "failed":
      return { outcome: "failed", reason: textIn(answer, "reason") };
    default:
      throw new Error(
        `The provider's status is ${JSON.stringify(status)}: pending, confirmed and failed are known.`,
      );
  }
}

function textIn(answer: Readonly<Record<string, unknown>>, name: string): string {
  const value = answer[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`The provider's answer has no text \`${name}\`.`);
}
