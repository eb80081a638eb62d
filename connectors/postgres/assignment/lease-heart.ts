import { setImmediate as turn } from "node:timers/promises";

import type { Pool } from "pg";

import type { LeaseRound } from "./lease-round.ts";
import { renewTogether } from "./renew-together.ts";

interface Asked {
  readonly round: LeaseRound;
  readonly told: PromiseWithResolvers<readonly number[] | undefined>;
}

/**
 * Beats for all memberships of a process at once, so that those at rest are renewed by one
 * statement and one commit. It beats only while somebody waits for it.
 */
export class LeaseHeart {
  readonly #options: { readonly pool: Pool; readonly heartbeatMs: number };
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #asked: Asked[] = [];

  constructor(options: { readonly pool: Pool; readonly heartbeatMs: number }) {
    this.#options = options;
  }

  /** Resolves with the next beat, which is the same for all who wait, or at an abort. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        if (this.#waiting.size === 0) this.#rest();
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#waiting.add(wake);
      this.#timer ??= setTimeout(() => this.#beat(), this.#options.heartbeatMs);
    });
  }

  /**
   * Renews together with all who ask in the same turn of the event loop. @returns the partitions of
   * a member at rest; undefined: it has to take a round of its own.
   */
  renew(round: LeaseRound): Promise<readonly number[] | undefined> {
    const told = Promise.withResolvers<readonly number[] | undefined>();
    this.#asked.push({ round, told });
    if (this.#asked.length === 1) void this.#renewAsked();
    return told.promise;
  }

  #beat(): void {
    this.#rest();
    for (const wake of this.#waiting) wake();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Never rejects: what fails, fails for those who asked. */
  async #renewAsked(): Promise<void> {
    await turn();
    const asked = this.#asked;
    this.#asked = [];
    try {
      const rounds = asked.map(({ round }) => round);
      const atRest = await renewTogether(this.#options.pool, rounds);
      for (const { round, told } of asked) told.resolve(atRest.get(round.member));
    } catch (error) {
      for (const { told } of asked) told.reject(error);
    }
  }
}
