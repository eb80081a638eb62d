import type { Pool, PoolClient } from "pg";

import { FatalError, TransientError } from "../../../engine/errors.ts";
import type { RegistryChange, RegistryStore } from "../../../engine/ports/registry-store.ts";
import { registryError } from "../outage.ts";
import { defaultContext } from "../subjects/subject-name.ts";
import { PostgresRegistryChange } from "./change.ts";
import { Database } from "./database.ts";
import { PostgresRegistryView } from "./view.ts";

export interface PostgresRegistryStoreOptions {
  readonly pool: Pool;
  /** Changes that may wait for their turn in this process; the next one is an outage to its caller. */
  readonly changesWaitingMax?: number;
}

/** A registry's storage in the tables `refold.registry_*`. */
export class PostgresRegistryStore extends PostgresRegistryView implements RegistryStore {
  readonly #pool: Pool;
  readonly #changesWaitingMax: number;
  /** Changes that are at work or wait. */
  #changes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ pool, changesWaitingMax = 1_000 }: PostgresRegistryStoreOptions) {
    super(new Database(pool));
    this.#pool = pool;
    this.#changesWaitingMax = changesWaitingMax;
  }

  async identity(): Promise<string> {
    const [row] = await this.database.rows<{ identity: string }>(
      "select identity::text from refold.registry_contexts where context = $1",
      [defaultContext],
    );
    if (row !== undefined) return row.identity;
    throw new FatalError(
      "registry-damaged",
      "The registry has no default context.",
      "Restore the tables refold.registry_*.",
    );
  }

  /**
   * One at a time in this process: those that waited for the lock in the database would each hold a
   * connection meanwhile, and leave none for appends and flushes.
   */
  async change<Result>(
    context: string,
    work: (change: RegistryChange) => Promise<Result>,
  ): Promise<Result> {
    if (this.#changes > this.#changesWaitingMax) {
      const told = `${this.#changesWaitingMax} changes of the schema registry wait for their turn`;
      throw new TransientError("registry-busy", `${told} already. Try again in a moment.`);
    }
    this.#changes += 1;
    const ended = this.#last.then(() => this.#alone(context, work));
    this.#last = ended.then(ignore, ignore);
    return ended.finally(() => (this.#changes -= 1));
  }

  async #alone<Result>(
    context: string,
    work: (change: RegistryChange) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.#connect();
    // A connection that breaks between two statements fails the next one; it must not end us.
    client.on("error", ignore);
    const database = new Database(client);
    let broken = true;
    try {
      await begin(database, context);
      const [outcome] = await Promise.allSettled([work(new PostgresRegistryChange(database))]);
      await database.rows(outcome.status === "fulfilled" ? "commit" : "rollback", []);
      broken = false;
      if (outcome.status === "fulfilled") return outcome.value;
      throw outcome.reason;
    } finally {
      client.off("error", ignore);
      // A connection in a state that nobody knows is closed, which ends its transaction too.
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw registryError(error);
    }
  }
}

/**
 * The lock is a statement of its own: in READ COMMITTED the statements after it see what the
 * transaction that held it before has committed.
 */
async function begin(database: Database, context: string): Promise<void> {
  await database.rows("begin", []);
  await database.rows(
    "insert into refold.registry_contexts (context) values ($1) on conflict do nothing",
    [context],
  );
  await database.rows("select 1 from refold.registry_contexts where context = $1 for update", [
    context,
  ]);
}

const ignore = (): void => undefined;
