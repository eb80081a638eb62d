import { Pool, types, type PoolConfig } from "pg";

/** int8 as bigint: numbers lose what is above 2^53. */
types.setTypeParser(types.builtins.INT8, (value) => BigInt(value));

export interface PostgresPoolOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly connectionsMax?: number;
  /** A statement that runs longer is cancelled by the server. */
  readonly statementTimeoutMs?: number;
  /** A lock that is waited for longer fails the statement. */
  readonly lockTimeoutMs?: number;
  /** Connections that break while idle; the pool replaces them. */
  readonly onIdleError?: (error: Error) => void;
}

/** A pool that survives broken idle connections and bounds every wait. Close it with `end()`. */
export function makePool(options: PostgresPoolOptions): Pool {
  const config: PoolConfig = {
    connectionString: options.url,
    application_name: `refold ${options.name}`,
    max: options.connectionsMax ?? 8,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    lock_timeout: options.lockTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
  };
  const pool = new Pool(config);
  // Without a listener a broken idle connection would end the process.
  pool.on("error", options.onIdleError ?? (() => undefined));
  // So would one that breaks while somebody has it; its next statement tells.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}
