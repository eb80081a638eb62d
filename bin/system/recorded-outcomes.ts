import { randomUUID } from "node:crypto";

import type { Decider } from "../../engine/decision/decider.ts";
import type { Origin } from "../../engine/decision/outcome.ts";
import { TransientError } from "../../engine/errors.ts";
import type { EffectLedger } from "../../engine/ports/effect-ledger.ts";
import {
  outcomeCommand,
  paymentOpen,
  type PaymentOutcomes,
  type ToldOutcome,
} from "../../processors/payments/index.ts";

export interface RecordedOutcomesOptions {
  readonly decider: Pick<Decider, "execute">;
  readonly effectLedger: Pick<EffectLedger, "find">;
  readonly report: (message: string) => void;
}

/** Records what providers tell, as part of the business transaction that the payment belongs to. */
export class RecordedOutcomes implements PaymentOutcomes {
  readonly #options: RecordedOutcomesOptions;

  constructor(options: RecordedOutcomesOptions) {
    this.#options = options;
  }

  async tell(outcome: ToldOutcome): Promise<void> {
    const { decider, report } = this.#options;
    const result = await decider.execute(outcomeCommand(outcome), await this.#originOf(outcome));
    if (result.outcome === "held") {
      throw new TransientError("held", `The event store is held by ${result.by}.`);
    }
    if (result.outcome === "refused") {
      const { provider, paymentId } = outcome;
      report(`${provider} tells of payment ${paymentId}: ${result.refusal.detail} It is left out.`);
    }
  }

  /** What asked for the payment is what its outcome follows from. */
  async #originOf({ paymentId }: ToldOutcome): Promise<Origin> {
    const opened = await this.#options.effectLedger.find(`${paymentOpen.kind}/${paymentId}`);
    if (opened === undefined) return { correlationId: randomUUID() };
    const { correlationId, causationId, traceparent } = opened;
    return {
      correlationId,
      ...(causationId === undefined ? {} : { causationId }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
  }
}
