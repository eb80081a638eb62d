import type { ClientBase } from "pg";

import type { Clock } from "../../engine/ports/clock.ts";
import { parseLsn } from "./lsn.ts";

export interface IdleWalOptions {
  readonly client: ClientBase;
  readonly clock: Clock;
  /** So much WAL moves the position at once. */
  readonly walBytesMax: number;
  /** Less of it moves it after this time. */
  readonly intervalMs: number;
}

/** What the server logs by itself now and then while nothing is written (running transactions). */
const ownWalBytesMax = 80;

/**
 * Decides when an idle capture's position moves past WAL that has nothing for it, so that the
 * server may forget that WAL. Moving the position writes WAL too (the embedded log's position lies
 * in the same server): that WAL is no reason to move again, or an idle system would never rest.
 */
export class IdleWal {
  readonly #options: IdleWalOptions;
  #movedAtMs: number;
  /** Where the WAL ended after the last move. */
  #ownEnd = 0;

  constructor(options: IdleWalOptions) {
    this.#options = options;
    this.#movedAtMs = options.clock.monotonicMs();
  }

  isDue(walEnd: number, completeLsn: number): boolean {
    const { walBytesMax, intervalMs, clock } = this.#options;
    if (walEnd - completeLsn >= walBytesMax) return true;
    if (walEnd <= completeLsn || walEnd - this.#ownEnd <= ownWalBytesMax) return false;
    return clock.monotonicMs() - this.#movedAtMs >= intervalMs;
  }

  /** The position is about to move; no other move is due before `moved`. */
  moving(): void {
    this.#movedAtMs = this.#options.clock.monotonicMs();
  }

  /** The position has moved: whatever the WAL has now counts as written by that. */
  async moved(): Promise<void> {
    const { rows } = await this.#options.client.query<{ lsn: string }>(
      "select pg_current_wal_insert_lsn()::text as lsn",
    );
    if (rows[0]) this.#ownEnd = parseLsn(rows[0].lsn);
  }
}
