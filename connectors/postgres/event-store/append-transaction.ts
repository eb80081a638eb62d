import type { Pool, PoolClient } from "pg";

import { RefoldError, TransientError } from "../../../engine/errors.ts";
import { bothAnswered, pipelined, type Ending } from "../transaction.ts";
import { sqlState } from "./failures.ts";

/**
 * A process that stops in the midst of an append holds the locks of its lanes and tags: after this
 * long the server ends its session.
 */
const idleTimeoutMs = 5_000;

const begin = `begin; set local idle_in_transaction_session_timeout = ${idleTimeoutMs}`;

/**
 * Runs an append that takes several statements in one transaction.
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
    const result = await pipelined(client, () => whole(client, work));
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

async function whole<Result>(
  client: PoolClient,
  work: (client: PoolClient) => Promise<Ending<Result>>,
): Promise<Result> {
  const [, ending] = await bothAnswered(client.query(begin), work(client));
  const { end } = ending;
  const [result, { command }] = await bothAnswered(
    Promise.resolve(ending.result),
    client.query(end),
  );
  if (end === "rollback" || command === "COMMIT") return result;
  throw new TransientError("event-store-unavailable", "The append was rolled back.");
}

const answered = (): false => false;
const failed = (): true => true;
