import { DatabaseError, type Pool, type PoolClient } from "pg";

import { FatalError, RefoldError, TransientError } from "../../engine/errors.ts";

/** How a piece of work ends its transaction, and what it leaves its caller. */
export interface Ending<Result> {
  readonly end: "commit" | "rollback";
  /** A promise is that of statements that were sent last: the end goes right behind them. */
  readonly result: Result | Promise<Result>;
  /** Is it one with which the server makes a rollback of the commit? Never, where it is left out. */
  undoes?(result: Result): boolean;
}

export const commit = <Result>(result: Result | Promise<Result>): Ending<Result> => ({
  end: "commit",
  result,
});
export const rollback = <Result>(result: Result): Ending<Result> => ({ end: "rollback", result });

/**
 * What a failure means. `changing`: the statement commits, so that a lost answer leaves the outcome
 * unknown; `preparing`: nothing can have been committed.
 */
export type Stage = "preparing" | "changing";

/**
 * A process that doesn't go on with its transaction for this long is frozen or cut off, and others
 * wait for what it has locked: the server ends the session. As long as a lease, after which its
 * work is given to others anyway.
 */
const idleTimeoutMs = 5_000;

/**
 * Runs work in one transaction (READ COMMITTED), whose locks outlive a frozen process by 5 s at most.
 *
 * @throws TransientError for a clean no; `outcome-unknown` when the answer to the commit was lost.
 */
export async function inTransaction<Result>(
  pool: Pool,
  doing: string,
  work: (client: PoolClient) => Promise<Ending<Result>>,
): Promise<Result> {
  return withClient(pool, doing, (client) =>
    transact(client, work, (error, stage) => storeError(error, doing, stage)),
  );
}

/**
 * The transaction of `inTransaction` on a connection of the caller's. What is sent waits for no
 * answer but those that the work waits for itself.
 *
 * @throws what `named` makes of what pg throws.
 */
export function transact<Result>(
  client: PoolClient,
  work: (client: PoolClient) => Promise<Ending<Result>>,
  named: (error: unknown, stage: Stage) => unknown,
): Promise<Result> {
  return pipelined(client, async () => {
    const begun = client.query(begin);
    // What is sent behind it fails with it; its own failure is told first where that is told.
    begun.catch(() => undefined);
    const ending = await work(client).catch(async (error: unknown) => {
      // A connection that can't even roll back is thrown away, and the server rolls back.
      await client.query("rollback").catch(() => undefined);
      throw named(error, "preparing");
    });
    return ended(client, begun, ending).catch((error: unknown) => {
      throw named(error, ending.end === "commit" ? "changing" : "preparing");
    });
  });
}

const begin = `begin; set local idle_in_transaction_session_timeout = ${idleTimeoutMs}`;

/** The server answered a commit with a rollback, and no statement with an error. */
class RolledBack extends Error {
  override readonly message = "the server rolled the transaction back";
}

/** What was sent last may have been committed with it when its answer is lost. */
async function ended<Result>(
  client: PoolClient,
  begun: Promise<unknown>,
  ending: Ending<Result>,
): Promise<Result> {
  const { end, result } = ending;
  const [, given, { command }] = await allAnswered([begun, result, client.query(end)]);
  if (end === "rollback" || command === "COMMIT" || ending.undoes?.(given) === true) return given;
  // The server answers a commit of a failed transaction with the tag ROLLBACK, and without error.
  throw new RolledBack();
}

/**
 * Meanwhile a statement goes out behind the one before it, answered or not. Not for a connection's
 * whole life: pg runs no COPY in this mode.
 */
export async function pipelined<Result>(
  client: PoolClient,
  work: () => Promise<Result>,
): Promise<Result> {
  Object.assign(client, { pipeline: true });
  try {
    return await work();
  } finally {
    Object.assign(client, { pipeline: false });
  }
}

/**
 * The answers to what was sent one behind the other. All are waited for, so that nothing is on its
 * way when the first failure is told.
 */
export async function allAnswered<const Answers extends readonly unknown[]>(
  answers: Answers,
): Promise<{ -readonly [At in keyof Answers]: Awaited<Answers[At]> }> {
  const settled = await Promise.allSettled(answers);
  for (const one of settled) if (one.status === "rejected") throw one.reason;
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as never;
}

/** Runs work on a connection; one that failed is closed, never given back. */
export async function withClient<Result>(
  pool: Pool,
  doing: string,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect().catch(asError(doing, "preparing"));
  // A connection that breaks between two statements tells so by this event, and the next statement
  // by its own error; without a listener the process would end.
  let broken = false;
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    return await work(client);
  } catch (error) {
    broken ||= !(error instanceof RefoldError) || error instanceof TransientError;
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

const asError =
  (doing: string, stage: Stage) =>
  (error: unknown): never => {
    throw storeError(error, doing, stage);
  };

/** Connection, resources, serialisation and deadlock, lock and statement timeouts, read-only. */
const transientStates = /^(08|53|40|57P0|55P03|57014|25P0[34]|25006)/;
/** The session ended: what it was doing may have been done. */
const sessionEnds = /^(08|57P0)/;
const dataStates = /^(22|23)/;

/** Names a failure by what the caller does about it. */
export function storeError(error: unknown, doing: string, stage: Stage): RefoldError {
  if (error instanceof RefoldError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const state = error instanceof DatabaseError ? (error.code ?? "") : "";
  const options = { cause: error };
  if (error instanceof RolledBack) {
    return new TransientError("rolled-back", `${doing}: ${text}.`, options);
  }
  if (state === "" || sessionEnds.test(state)) {
    if (stage === "preparing") {
      return new TransientError("database-unavailable", `${doing}: ${text}.`, options);
    }
    const message = `${doing}: the answer was lost, so it may have been done (${text}).`;
    return new TransientError("outcome-unknown", message, options);
  }
  if (transientStates.test(state)) {
    return new TransientError(transientCode(state), `${doing}: ${text} (${state}).`, options);
  }
  if (dataStates.test(state)) {
    const remedy = "Correct what the definition lets rows hold.";
    return new FatalError("row-unfit", `${doing}: ${text} (${state}).`, remedy, options);
  }
  const remedy = "Check that the migrations ran and that the user owns the schemas.";
  return new FatalError("database-refused", `${doing}: ${text} (${state}).`, remedy, options);
}

function transientCode(state: string): string {
  if (state.startsWith("40")) return "serialization";
  if (/^(55P03|57014|25P0)/.test(state)) return "timeout";
  return "database-unavailable";
}

/** One statement that reads, or that changes in a transaction of its own. */
export function runStatement<Row extends object>(
  pool: Pool,
  statement: {
    readonly doing: string;
    readonly stage: Stage;
    readonly name?: string;
    readonly text: string;
    readonly values?: readonly unknown[];
  },
): Promise<Row[]> {
  const { doing, stage, name, text, values = [] } = statement;
  return withClient(pool, doing, async (client) => {
    const query = { text, values: [...values], ...(name !== undefined && { name }) };
    const { rows } = await client.query<Row>(query).catch(asError(doing, stage));
    return rows;
  });
}

const relationMissing = "42P01";

/** Is there no such table? Also of an error that names another as its cause. */
export const isRelationMissing = (error: unknown): boolean => sqlStateOf(error) === relationMissing;

/** The state of a server's error, below whatever it was named. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.code;
  return error instanceof RefoldError && error.cause !== undefined
    ? sqlStateOf(error.cause)
    : undefined;
}
