import { setImmediate as turn } from "node:timers/promises";

import type { Clock } from "../../engine/ports/clock.ts";
import type { EventStore } from "../../engine/ports/event-store.ts";
import { PaymentRequested } from "../../schemas/index.ts";
import type { ApiOptions } from "../options.ts";

/** Between the first two looks for a payment; each later pause is twice as long. */
const firstPauseMs = 10;

export interface RequestedPaymentsOptions {
  readonly clock: Clock;
  readonly eventStore: Pick<EventStore, "read">;
  readonly limits: Pick<ApiOptions, "paymentWaitsMax" | "waitForMs">;
}

interface Waiting {
  readonly tag: string;
  readonly untilMs: number;
  readonly told: PromiseWithResolvers<void>;
  pauseMs: number;
  nextLookMs: number;
}

/**
 * Who holds a seat has the id of its payment at once, and the payment is asked for a moment later:
 * here cards wait for that, all that are due in one look into the event store.
 */
export class RequestedPayments {
  readonly #options: RequestedPaymentsOptions;
  #waiting: Waiting[] = [];
  #looking = false;

  constructor(options: RequestedPaymentsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the payment is known to the event store, or when the time for waiting is up.
   * Beyond `paymentWaitsMax` of such waits at once nobody waits.
   *
   * @throws what the store does.
   */
  async until(paymentId: string): Promise<void> {
    const { clock, limits } = this.#options;
    if (this.#waiting.length >= limits.paymentWaitsMax) return;
    const nowMs = clock.monotonicMs();
    const told = Promise.withResolvers<void>();
    this.#waiting.push({
      tag: `payment:${paymentId}`,
      untilMs: nowMs + limits.waitForMs,
      told,
      pauseMs: firstPauseMs,
      nextLookMs: nowMs,
    });
    if (!this.#looking) void this.#run();
    return told.promise;
  }

  /** Never rejects: a look that fails, fails for those who were due. */
  async #run(): Promise<void> {
    const { clock } = this.#options;
    this.#looking = true;
    // Those of the same turn are looked for together.
    await turn();
    while (this.#waiting.length > 0) {
      const nowMs = clock.monotonicMs();
      const due = this.#waiting.filter(({ nextLookMs }) => nextLookMs <= nowMs);
      if (due.length > 0) await this.#look(due, nowMs);
      if (this.#waiting.length > 0) await clock.sleep(firstPauseMs);
    }
    this.#looking = false;
  }

  async #look(due: readonly Waiting[], nowMs: number): Promise<void> {
    const ended = new Set<Waiting>();
    try {
      const requested = await this.#requestedOf(due);
      for (const one of due) {
        if (requested.has(one.tag) || one.untilMs <= nowMs) {
          one.told.resolve();
          ended.add(one);
        } else {
          one.nextLookMs = Math.min(nowMs + one.pauseMs, one.untilMs);
          one.pauseMs *= 2;
        }
      }
    } catch (error) {
      for (const one of due) {
        one.told.reject(error);
        ended.add(one);
      }
    }
    this.#waiting = this.#waiting.filter((one) => !ended.has(one));
  }

  async #requestedOf(due: readonly Waiting[]): Promise<ReadonlySet<string>> {
    const types = [PaymentRequested.fullName];
    const items = due.map(({ tag }) => ({ tags: [tag], types }));
    const found = new Set<string>();
    for await (const events of this.#options.eventStore.read({ items })) {
      for (const { tags } of events) for (const tag of tags) found.add(tag);
    }
    return found;
  }
}
