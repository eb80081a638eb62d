import { keyOfSecret } from "../connectors/payments/index.ts";
import { CommandFailure } from "./command-failure.ts";
import type { Environment } from "./servers.ts";

/** Who moves the money. */
export type PaymentSettings =
  | {
      readonly provider: "sandbox";
      /** Pays every payment as soon as it is requested. */
      readonly autoCard: string | undefined;
    }
  | {
      readonly provider: "webhook";
      readonly url: string;
      /** The first signs; a signature of any of them is taken. */
      readonly keys: readonly [Uint8Array, ...Uint8Array[]];
    };

/** Nobody moves any. */
export const sandboxPayments: PaymentSettings = { provider: "sandbox", autoCard: undefined };

const names = {
  provider: "REFOLD_PAYMENTS",
  card: "REFOLD_SANDBOX_CARD",
  url: "REFOLD_PAYMENTS_URL",
  secret: "REFOLD_PAYMENTS_SECRET",
  secrets: "REFOLD_PAYMENTS_SECRETS",
} as const;

/** As the API takes them. */
const cardToken = /^[\x21-\x7e]{1,200}$/;

/** @throws CommandFailure `usage` naming every setting that can't be used, without secrets. */
export function paymentSettingsOf(settings: Environment): PaymentSettings {
  const { [names.provider]: provider = "sandbox" } = settings;
  const faults: string[] = [];
  const read = provider === "webhook" ? webhookIn(settings, faults) : sandboxIn(settings, faults);
  if (provider !== "webhook" && provider !== "sandbox") {
    faults.push(`${names.provider} must be sandbox or webhook, not ${provider}`);
  }
  if (faults.length === 0 && read !== undefined) return read;
  throw new CommandFailure("usage", `Settings: ${faults.join("; ")}.`);
}

function sandboxIn(settings: Environment, faults: string[]): PaymentSettings {
  const unused = [names.url, names.secret, names.secrets].filter((name) => settings[name]);
  if (unused.length > 0) {
    faults.push(`${unused.join(" and ")} go with ${names.provider}=webhook`);
  }
  const card = settings[names.card];
  if (card !== undefined && !cardToken.test(card)) {
    faults.push(
      `${names.card} must be a card token, such as tok_ok: 1 to 200 visible ASCII characters`,
    );
  }
  return { provider: "sandbox", autoCard: card };
}

function webhookIn(settings: Environment, faults: string[]): PaymentSettings | undefined {
  const url = settings[names.url] ?? "";
  const scheme = URL.canParse(url) ? new URL(url).protocol : "";
  if (scheme !== "http:" && scheme !== "https:") {
    faults.push(`${names.url} must be a URL (http, https): where payments are asked for`);
  }
  if (settings[names.card] !== undefined) {
    faults.push(`${names.card} goes with ${names.provider}=sandbox`);
  }
  const [first, ...others] = keysIn(settings, faults);
  return first && { provider: "webhook", url, keys: [first, ...others] };
}

function keysIn(settings: Environment, faults: string[]): readonly Uint8Array[] {
  const { [names.secret]: one, [names.secrets]: several } = settings;
  if ((one === undefined) === (several === undefined)) {
    faults.push(
      `either ${names.secret} or ${names.secrets} (with commas between, the one that signs first) ` +
        "must be set",
    );
    return [];
  }
  const name = one === undefined ? names.secrets : names.secret;
  const texts = one === undefined ? (several ?? "").split(",") : [one];
  return texts.flatMap((text) => {
    try {
      return [keyOfSecret(text.trim())];
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
}
