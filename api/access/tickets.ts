import { randomBytes } from "node:crypto";

import type { Clock } from "../../engine/ports/clock.ts";
import type { AccessLimits, Identity } from "./contract.ts";

export interface TicketsOptions {
  readonly clock: Clock;
  readonly limits: Pick<AccessLimits, "ticketMs" | "ticketsMax">;
}

export interface GivenTicket {
  readonly ticket: string;
  /** Milliseconds since 1970 (UTC). */
  readonly expiresAtMs: number;
}

interface Waiting {
  readonly identity: Identity;
  readonly untilMs: number;
}

/**
 * One-use secrets that let a stream open for somebody who can't send a header: a browser's
 * WebSocket or event source. They are in the memory of the process that gave them, so a stream is
 * opened at the process that was asked for its ticket.
 */
export class Tickets {
  readonly #options: TicketsOptions;
  /** In the order of being given, which is that of their ends. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: TicketsOptions) {
    this.#options = options;
  }

  /** undefined: as many wait as may. */
  give(identity: Identity): GivenTicket | undefined {
    const { clock, limits } = this.#options;
    this.#dropOver();
    if (this.#waiting.size >= limits.ticketsMax) return undefined;
    const ticket = randomBytes(24).toString("base64url");
    this.#waiting.set(ticket, { identity, untilMs: clock.monotonicMs() + limits.ticketMs });
    return { ticket, expiresAtMs: clock.nowMs() + limits.ticketMs };
  }

  /** Whose ticket it is; undefined: it is unknown, used or too old. From now on it is used. */
  use(ticket: string): Identity | undefined {
    const found = this.#waiting.get(ticket);
    if (found === undefined) return undefined;
    this.#waiting.delete(ticket);
    return found.untilMs > this.#options.clock.monotonicMs() ? found.identity : undefined;
  }

  #dropOver(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [ticket, { untilMs }] of this.#waiting) {
      if (untilMs > nowMs) return;
      this.#waiting.delete(ticket);
    }
  }
}
