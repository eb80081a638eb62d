import type { Pool, PoolClient } from "pg";

import { registryError } from "../outage.ts";

/** Runs statements: on a pool, or on a connection in a transaction. */
export class Database {
  readonly #on: Pick<Pool | PoolClient, "query">;

  constructor(on: Pick<Pool | PoolClient, "query">) {
    this.#on = on;
  }

  /** @throws TransientError, FatalError as `registryError` has them. */
  async rows<Row extends object>(sql: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      const { rows } = await this.#on.query<Row & Record<string, unknown>>(sql, [...values]);
      return rows;
    } catch (error) {
      throw registryError(error);
    }
  }
}
