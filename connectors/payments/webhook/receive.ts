import type { Clock } from "../../../engine/ports/clock.ts";
import type {
  PaymentWebhook,
  ToldOutcome,
  WebhookHeaders,
  WebhookVerdict,
} from "../../../processors/payments/provider.ts";
import { isSigned } from "./signature.ts";

export interface WebhookReceiverOptions {
  /** The provider's name. */
  readonly provider: string;
  /** All that a signature may be made with: two while a secret is being changed. */
  readonly keys: readonly Uint8Array[];
  readonly clock: Pick<Clock, "nowMs">;
  /** How far a message's time may be from ours, before or after. */
  readonly replayWindowMs?: number;
}

type Refused = Extract<WebhookVerdict, { readonly kind: "refused" }>;

const unsigned = (detail: string): Refused => ({
  kind: "refused",
  code: "signature-invalid",
  detail,
});

const unfit = (detail: string): Refused => ({ kind: "refused", code: "webhook-invalid", detail });

const textMax = 255;

/**
 * Reads what a provider tells. A message that is sent again, or played back within the window, is
 * harmless: an outcome that is recorded is not recorded again.
 */
export class WebhookReceiver implements PaymentWebhook {
  readonly provider: string;
  readonly #options: Required<WebhookReceiverOptions>;

  constructor(options: WebhookReceiverOptions) {
    this.provider = options.provider;
    this.#options = { replayWindowMs: 5 * 60_000, ...options };
  }

  receive(body: Uint8Array, headers: WebhookHeaders): WebhookVerdict {
    return this.#unsigned(body, headers) ?? verdictOn(this.provider, body);
  }

  /** What is wrong with the signature; undefined: nothing. */
  #unsigned(body: Uint8Array, headers: WebhookHeaders): Refused | undefined {
    const id = headers["webhook-id"];
    const timestamp = headers["webhook-timestamp"];
    const signatures = headers["webhook-signature"];
    if (!isText(id) || !isText(timestamp) || typeof signatures !== "string") {
      const names = "webhook-id, webhook-timestamp and webhook-signature";
      return unsigned(`The headers ${names} have to be there, each once.`);
    }
    const { keys, clock, replayWindowMs } = this.#options;
    if (!isSigned({ id, timestamp, body }, signatures, keys)) {
      return unsigned("No signature of webhook-signature is that of this body under our secret.");
    }
    const sentAtMs = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : Number.NaN;
    const distanceMs = Math.abs(clock.nowMs() - sentAtMs);
    if (distanceMs <= replayWindowMs) return undefined;
    const window = `${replayWindowMs / 1_000} s`;
    return unsigned(`webhook-timestamp is no whole number of seconds within ${window} of now.`);
  }
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length >= 1 && value.length <= textMax;

/** The body of a message that is signed: `{type, data}`. */
function verdictOn(provider: string, body: Uint8Array): WebhookVerdict {
  const message = objectIn(body);
  if (message === undefined || typeof message["type"] !== "string") {
    return unfit("The body has to be a JSON object with a text `type`.");
  }
  const { type, data } = message;
  if (type !== "payment.confirmed" && type !== "payment.failed") return { kind: "ignored" };
  const { paymentId, reference, reason } = isObject(data) ? data : {};
  if (!isText(paymentId)) return unfit("`data.paymentId` has to be a text.");
  const told = (outcome: ToldOutcome): WebhookVerdict => ({ kind: "told", outcome });
  if (type === "payment.failed") {
    if (!isText(reason)) return unfit("`data.reason` has to be a text: why the charge failed.");
    return told({ provider, paymentId, outcome: "failed", reason });
  }
  if (!isText(reference)) return unfit("`data.reference` has to be a text: the charge's name.");
  return told({ provider, paymentId, outcome: "confirmed", reference });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function objectIn(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
