import type { Clock } from "../../../engine/ports/clock.ts";
import type { PaymentOutcomes, ToldOutcome } from "../../../processors/payments/provider.ts";
import { type BookedCharge, referenceOf, type SandboxBooks } from "./books.ts";

export interface TellerOptions {
  /** The provider's name. */
  readonly provider: string;
  readonly books: Pick<SandboxBooks, "due" | "told">;
  readonly outcomes: PaymentOutcomes;
  readonly clock: Clock;
  /** How often the books are looked at. */
  readonly pollMs?: number;
  /** What was taken and not told by then is taken again. */
  readonly leaseMs?: number;
  /** Outcomes told at once. */
  readonly batchMax?: number;
  readonly report: (message: string) => void;
}

/**
 * Tells outcomes that nobody waits for any more: late ones, and one more time. It begins at once;
 * whoever stops it loses nothing, since the books know what is still to be told.
 */
export class Teller implements AsyncDisposable {
  readonly #options: Required<TellerOptions>;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: TellerOptions) {
    this.#options = { pollMs: 100, leaseMs: 5_000, batchMax: 200, ...options };
    this.#done = this.#run(this.#stopping.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, pollMs, report } = this.#options;
    let troubled = false;
    while (!signal.aborted) {
      try {
        const told = await this.#tellDue();
        if (told > 0) {
          troubled = false;
          continue;
        }
      } catch (error) {
        if (!troubled) report(`The sandbox can't tell outcomes of payments: ${String(error)}`);
        troubled = true;
      }
      await clock.sleep(pollMs, signal);
    }
  }

  /** @returns how many were told. */
  async #tellDue(): Promise<number> {
    const { books, clock, leaseMs, batchMax, outcomes } = this.#options;
    const due = await books.due({ nowMs: clock.nowMs(), leaseMs, limit: batchMax });
    if (due.length === 0) return 0;
    const results = await Promise.allSettled(
      due.map((charge) => outcomes.tell(this.#told(charge))),
    );
    const told = due.filter((_, at) => results[at]?.status === "fulfilled");
    if (told.length > 0) await books.told(told.map(({ key }) => key));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    return told.length;
  }

  #told({ key, paymentId, refused }: BookedCharge): ToldOutcome {
    const { provider } = this.#options;
    return refused === undefined
      ? { provider, paymentId, outcome: "confirmed", reference: referenceOf(key) }
      : { provider, paymentId, outcome: "failed", reason: refused };
  }
}
