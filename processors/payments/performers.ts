import type { CommandCall } from "../../engine/decision/definition.ts";
import type { EffectOutcome, EffectPerformer } from "../../engine/effect.ts";
import { confirmPayment } from "./confirm-payment.ts";
import { paymentCharge, paymentOpen, paymentRefund } from "./effects.ts";
import { failPayment } from "./fail-payment.ts";
import type { ChargeAnswer, PaymentProvider, ToldOutcome } from "./provider.ts";
import { recordRefund } from "./record-refund.ts";

/** Performs all effects of payments through a provider. */
export function paymentPerformers(provider: PaymentProvider): readonly EffectPerformer[] {
  return [
    paymentOpen.performedBy(async ({ input, signal }) => {
      const key = chargeKeyOf(input.paymentId);
      return charged(provider, input.paymentId, await provider.open({ ...input, key, signal }));
    }),
    paymentCharge.performedBy(async ({ input, secret, signal }) => {
      if (secret === undefined) throw new Error(`The card of payment ${input.paymentId} is gone.`);
      const key = chargeKeyOf(input.paymentId);
      const answer = await provider.charge({ ...input, card: secret, key, signal });
      return charged(provider, input.paymentId, answer);
    }),
    paymentRefund.performedBy(async ({ key, input, signal }) => {
      assertCharger(provider, input.provider);
      const answer = await provider.refund({ ...input, key, signal });
      const { paymentId, registrationId, reason } = input;
      const recorded = { paymentId, registrationId, reason, provider: provider.name, ...answer };
      return answered(answer, recordRefund(recorded));
    }),
  ];
}

/** The command that records an outcome. */
export function outcomeCommand(told: ToldOutcome): CommandCall {
  const { provider, paymentId } = told;
  return told.outcome === "confirmed"
    ? confirmPayment({ paymentId, provider, reference: told.reference })
    : failPayment({ paymentId, provider, reason: told.reason });
}

/** What the charge of a payment is known by, at the provider as in the ledger. */
const chargeKeyOf = (paymentId: string): string => `${paymentCharge.kind}/${paymentId}`;

function charged(
  { name: provider }: PaymentProvider,
  paymentId: string,
  answer: ChargeAnswer,
): EffectOutcome {
  if (answer.outcome === "pending") return answered(answer, undefined);
  return answered(answer, outcomeCommand({ provider, paymentId, ...answer }));
}

const answered = (answer: unknown, call: CommandCall | undefined): EffectOutcome => ({
  answer,
  follows: call && { call },
});

function assertCharger({ name }: PaymentProvider, charger: string): void {
  if (name === charger) return;
  throw new Error(
    `The charge was made by the provider ${charger}, and this process works with ${name}: only ` +
      `who has charged can pay back. Start with ${charger} and retry the effect.`,
  );
}
