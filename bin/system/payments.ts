import {
  PostgresBooks,
  SandboxProvider,
  Teller,
  WebhookProvider,
  webhookProviderName,
  WebhookReceiver,
} from "../../connectors/payments/index.ts";
import { makePool } from "../../connectors/postgres/index.ts";
import type { Decider } from "../../engine/decision/decider.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import type { EffectLedger } from "../../engine/ports/effect-ledger.ts";
import { type PaymentWebhook, paymentPerformers } from "../../processors/payments/index.ts";
import type { PaymentSettings } from "../payment-settings.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { systemClock } from "../system-clock.ts";
import { RecordedOutcomes } from "./recorded-outcomes.ts";

export interface PaymentsPart {
  readonly settings: PaymentSettings;
  /** Of the database in which the sandbox has its books. */
  readonly url: string;
  /** Does this process ask the provider, or does it only hear it? */
  readonly performs: "all" | "nothing";
  readonly decider: Pick<Decider, "execute">;
  readonly effectLedger: Pick<EffectLedger, "find">;
  readonly report: (message: string) => void;
}

/** The provider of payments, as far as this process has to do with it. */
export interface Payments extends AsyncDisposable {
  readonly performers: readonly EffectPerformer[];
  /** Ears of providers that tell outcomes over HTTP. */
  readonly webhooks: readonly PaymentWebhook[];
}

export function openPayments(part: PaymentsPart): Payments {
  const { settings, performs } = part;
  if (settings.provider === "webhook") return openWebhook(part, settings);
  return performs === "all" ? openSandbox(part, settings) : none;
}

const none: Payments = {
  performers: [],
  webhooks: [],
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

type Of<Provider> = Extract<PaymentSettings, { readonly provider: Provider }>;

/** Connections of the sandbox: its books are asked by few statements, each for many. */
const sandboxConnectionsMax = 4;

function openSandbox(part: PaymentsPart, { autoCard }: Of<"sandbox">): Payments {
  const { url, report } = part;
  const clock = systemClock;
  const stop = new StopInTurn(report);
  const pool = makePool({ url, name: "sandbox", connectionsMax: sandboxConnectionsMax });
  stop.add("connection pool of the sandbox", () => pool.end());
  const books = new PostgresBooks({ pool });
  const provider = new SandboxProvider({ books, clock, autoCard });
  const outcomes = new RecordedOutcomes(part);
  const teller = new Teller({ provider: provider.name, books, outcomes, clock, report });
  stop.add("outcomes of the sandbox", () => teller[Symbol.asyncDispose]());
  return {
    performers: paymentPerformers(provider),
    webhooks: [],
    [Symbol.asyncDispose]: () => stop[Symbol.asyncDispose](),
  };
}

function openWebhook({ performs }: PaymentsPart, { url, keys }: Of<"webhook">): Payments {
  const clock = systemClock;
  const provider = new WebhookProvider({ url, key: keys[0], clock });
  return {
    performers: performs === "all" ? paymentPerformers(provider) : [],
    webhooks: [new WebhookReceiver({ provider: webhookProviderName, keys, clock })],
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
