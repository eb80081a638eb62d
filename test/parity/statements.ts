import { setTimeout as delay } from "node:timers/promises";

import { Client, DatabaseError } from "pg";

import { copyIn } from "./copy-in.ts";
import type { SqlError } from "./scenario.ts";

/** What the statements that begin with `@` do to the connector. */
export interface Interventions {
  stop(): Promise<void>;
  resume(): Promise<void>;
}

export interface StatementRun {
  readonly url: string;
  readonly groups: readonly (readonly string[])[];
  readonly interventions: Interventions;
  /** Awaited before each group, where a connector's look at the catalogue must not come too late. */
  readonly settled: () => Promise<void>;
}

/**
 * Runs groups of statements as a scenario spells them: in order on one connection, but those that
 * begin with `s2` in a comment on a second one; COPY with its data after its first line; `@sleep ms`,
 * `@restart` (stops the connector) and `@resume`.
 *
 * @returns The statements that the server refused, which scenarios may mean to do.
 */
export async function runStatements(run: StatementRun): Promise<SqlError[]> {
  const clients = [new Client(run.url), new Client(run.url)];
  const errors: SqlError[] = [];
  try {
    for (const client of clients) await client.connect();
    for (const group of run.groups) {
      await run.settled();
      for (const statement of group) {
        const error = await runOne(statement, clients, run.interventions);
        if (error) errors.push(error);
      }
    }
  } finally {
    for (const client of clients) await client.end();
  }
  return errors;
}

async function runOne(
  statement: string,
  clients: readonly Client[],
  interventions: Interventions,
): Promise<SqlError | undefined> {
  if (statement.startsWith("@")) return intervene(statement, interventions);
  const client = clients[statement.startsWith("/*s2*/") ? 1 : 0];
  if (!client) throw new Error("Statements need two connections.");
  try {
    await runStatement(client, statement);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { statement, sqlstate: error.code ?? "", message: error.message };
  }
  return undefined;
}

async function intervene(statement: string, interventions: Interventions): Promise<undefined> {
  const [word, argument] = statement.split(" ");
  if (word === "@sleep") await delay(Number(argument));
  else if (word === "@restart") await interventions.stop();
  else if (word === "@resume") await interventions.resume();
  else throw new Error(`Scenarios have no statement ${statement}.`);
}

async function runStatement(client: Client, statement: string): Promise<void> {
  const text = statement.replace("/*s2*/", "").trimStart();
  if (!/^copy .* from stdin/i.test(text)) {
    await client.query(statement);
    return;
  }
  const end = text.indexOf("\n");
  await copyIn(client, text.slice(0, end), text.slice(end + 1));
}
