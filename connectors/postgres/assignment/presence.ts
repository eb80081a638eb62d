import { randomBytes } from "node:crypto";

import { Client, type ClientConfig, type Pool } from "pg";

/** What the member's row says about its process. */
export interface Session {
  /** Key of the advisory lock that the process' connection holds. */
  readonly lock: bigint;
  /** Without that lock, a member that is silent for longer is dead. */
  readonly silentMs: number;
}

/**
 * A sign of life of this process: an advisory lock that a connection of its own holds while it has
 * memberships. When a process is killed its kernel closes the connection, and Postgres gives the lock
 * up within milliseconds; one that is frozen, or whose machine has vanished, keeps it.
 */
export class Presence {
  readonly #config: ClientConfig;
  readonly #silentMs: number;
  #memberships = 0;
  #held: { readonly client: Client; readonly lock: bigint } | undefined;
  #connecting: Promise<void> | undefined;

  constructor({ pool, silentMs }: { readonly pool: Pool; readonly silentMs: number }) {
    this.#config = { ...pool.options, application_name: "refold presence", keepAlive: true };
    this.#silentMs = silentMs;
  }

  /** For one membership more. Resolves also where there can't be a connection now. */
  async enter(): Promise<void> {
    this.#memberships += 1;
    await this.#connect();
  }

  async leave(): Promise<void> {
    this.#memberships -= 1;
    if (this.#memberships > 0) return;
    await this.#connecting;
    // Somebody may have entered meanwhile.
    if (this.#memberships > 0) return;
    const held = this.#held;
    this.#held = undefined;
    await held?.client.end().catch(() => undefined);
  }

  /**
   * What a renewal is to say; undefined: nothing is held, and the lease alone counts. A connection
   * that was lost is made anew for the renewals that follow.
   */
  session(): Session | undefined {
    if (this.#held) return { lock: this.#held.lock, silentMs: this.#silentMs };
    void this.#connect();
    return undefined;
  }

  #connect(): Promise<void> {
    if (this.#held || this.#memberships === 0) return Promise.resolve();
    this.#connecting ??= this.#hold().finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /**
   * Never rejects. Each connection has a lock of its own: the server may believe for long that one
   * which was cut lives, and keeps its lock.
   */
  async #hold(): Promise<void> {
    const lock = randomBytes(8).readBigInt64BE();
    const client = new Client(this.#config);
    client.on("error", () => undefined);
    client.once("end", () => {
      if (this.#held?.client === client) this.#held = undefined;
    });
    try {
      await client.connect();
      await client.query("select pg_advisory_lock($1::int8)", [String(lock)]);
      this.#held = { client, lock };
    } catch {
      await client.end().catch(() => undefined);
    }
  }
}
