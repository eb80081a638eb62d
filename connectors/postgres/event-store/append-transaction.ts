import type { Pool, PoolClient } from "pg";

import { RefoldError } from "../../../engine/errors.ts";
import { transact, type Ending } from "../transaction.ts";
import { sqlState } from "./failures.ts";

/**
 * Runs an append that takes several statements in one transaction. A process that stops in the midst
 * of it holds the locks of its lanes and tags until the server ends its session.
 *
 * @throws what pg throws, so that the caller's own policy names it.
 */
export async function appendTransaction<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Ending<Result>>,
): Promise<Result> {
  const client = await pool.connect();
  let broken = true;
  try {
    const result = await transact(client, work, (error) => error);
    broken = false;
    return result;
  } catch (error) {
    // The connection is as good as before where the server still answers on it.
    const answers = sqlState(error) !== "" || error instanceof RefoldError;
    if (answers) broken = await client.query("rollback").then(answered, failed);
    throw error;
  } finally {
    client.release(broken);
  }
}

const answered = (): false => false;
const failed = (): true => true;
