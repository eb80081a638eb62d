import { setTimeout as delay } from "node:timers/promises";

import type { Pool, PoolClient } from "pg";

import { FatalError } from "../../../engine/errors.ts";
import type { StoreHold } from "../../../engine/ports/store-hold.ts";
import { asFailure } from "./failures.ts";
import { holderKey, lockSpace } from "./locks.ts";

interface HoldRow {
  readonly hold_name: string | null;
  readonly hold_clock_ms: bigint | null;
}

/**
 * The hold's row outlives its holder; that the holder is alive is shown by an advisory lock of its
 * session. All changes go through that session, so that a holder which has lost it can't move the
 * clock of somebody else's hold.
 */
export class PostgresStoreHold implements StoreHold, AsyncDisposable {
  readonly #pool: Pool;
  readonly #patienceMs: number;
  #session: PoolClient | undefined;

  /**
   * @param options `patienceMs`: how long a holder may seem alive before it is taken to be so
   * (default 2,000). The server needs a moment to see that a process was killed.
   */
  constructor(options: { readonly pool: Pool; readonly patienceMs?: number }) {
    this.#pool = options.pool;
    this.#patienceMs = options.patienceMs ?? 2_000;
  }

  async acquire(name: string, clockMs: number): Promise<void> {
    const session = this.#session ?? (await this.#open());
    try {
      await session.query("begin");
      // Every append in flight ends first; those that begin later see the hold.
      await session.query("select pg_advisory_xact_lock($1, 0)", [lockSpace]);
      const { rows } = await session.query<HoldRow>(
        "select hold_name, hold_clock_ms from refold.store",
      );
      const holder = rows[0]?.hold_name ?? undefined;
      if (holder !== undefined && holder !== name) throw heldByAnother(holder);
      await session.query(
        `update refold.store set hold_name = $1,
           hold_clock_ms = greatest(hold_clock_ms, $2::bigint)`,
        [name, Math.floor(clockMs)],
      );
      await session.query("commit");
    } catch (error) {
      this.#close();
      throw asFailure(error, "take the hold");
    }
  }

  async setClock(clockMs: number): Promise<void> {
    await this.#change("update refold.store set hold_clock_ms = greatest(hold_clock_ms, $1)", [
      Math.floor(clockMs),
    ]);
  }

  async release(): Promise<void> {
    await this.#change("update refold.store set hold_name = null, hold_clock_ms = null", []);
    this.#close();
  }

  async current(): Promise<{ readonly name: string; readonly clockMs: number } | undefined> {
    const { rows } = await this.#pool.query<HoldRow>(
      "select hold_name, hold_clock_ms from refold.store",
    );
    const row = rows[0];
    if (!row || row.hold_name === null) return undefined;
    return { name: row.hold_name, clockMs: Number(row.hold_clock_ms) };
  }

  /** Leaves the hold in place; only this holder's life ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await Promise.resolve();
  }

  async #open(): Promise<PoolClient> {
    const session = await this.#pool.connect();
    // A broken session says so when it is used next.
    session.on("error", () => undefined);
    const taken = await lockWithin(session, this.#patienceMs).catch((error: unknown) => {
      session.release(true);
      throw asFailure(error, "take the hold");
    });
    if (!taken) {
      session.release();
      const holder = await this.current();
      throw heldByAnother(holder?.name ?? "another process that is just taking it");
    }
    this.#session = session;
    return session;
  }

  async #change(sql: string, values: readonly unknown[]): Promise<void> {
    if (!this.#session) {
      throw new FatalError(
        "hold-lost",
        "This process doesn't hold the event store.",
        "Acquire it first.",
      );
    }
    try {
      await this.#session.query(sql, [...values]);
    } catch (error) {
      this.#close();
      throw asFailure(error, "change the hold");
    }
  }

  /** Ends the session and with it the lock. */
  #close(): void {
    this.#session?.release(true);
    this.#session = undefined;
  }
}

const retryMs = 50;

async function lockWithin(session: PoolClient, patienceMs: number): Promise<boolean> {
  const sql = "select pg_try_advisory_lock($1) as taken";
  for (const deadline = performance.now() + patienceMs; ; await delay(retryMs)) {
    const { rows } = await session.query<{ taken: boolean }>(sql, [holderKey]);
    if (rows[0]?.taken === true) return true;
    if (performance.now() >= deadline) return false;
  }
}

const heldByAnother = (holder: string): FatalError =>
  new FatalError(
    "held",
    `The event store is held by ${holder}.`,
    "Let it finish, or run it again to finish it and give the store back.",
  );
