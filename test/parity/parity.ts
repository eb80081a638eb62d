import { setTimeout as delay } from "node:timers/promises";

import { differences } from "./comparison/compare.ts";
import { differenceText, type Difference } from "./comparison/difference.ts";
import { deviationOf } from "./deviations.ts";
import { dropDatabase, execute, remakeDatabase } from "./database.ts";
import { encodingsOf, NumberedSchemas, toldEvents } from "./decode.ts";
import { runEmbedded } from "./embedded/embedded-run.ts";
import type { Scenario } from "./scenario.ts";
import { columnTypes } from "./column-types.ts";

/** How a scenario under the embedded capture compares with its recording. */
export interface Verdict {
  readonly name: string;
  readonly equal: boolean;
  /** The first one that no deviation explains, or the first one at all. */
  readonly difference: string | null;
  /** The line of docs/capture.md that explains all differences. */
  readonly deviation: string | null;
}

export interface ParityOptions {
  /** A server with logical decoding, where databases are made and dropped. */
  readonly serverUrl: string;
  /** Without progress for so long, records that are missing are taken as missing for good. */
  readonly patienceMs?: number;
  /** For the whole scenario, its own sleeps included. */
  readonly timeoutMs?: number;
}

const defaultPatienceMs = 3_000;
const defaultTimeoutMs = 60_000;

/** Runs a scenario in a database of its own and compares. A scenario that can't be run is unlike. */
export async function parityOf(scenario: Scenario, options: ParityOptions): Promise<Verdict> {
  const { name } = scenario;
  try {
    if (scenario.events === undefined) throw new Error("it has no events; record it first");
    return await inTime(scenario, options);
  } catch (error) {
    return { name, equal: false, difference: `not run: ${String(error)}`, deviation: null };
  }
}

/** Dropping the database breaks off whatever hangs on it. */
async function inTime(scenario: Scenario, options: ParityOptions): Promise<Verdict> {
  const { serverUrl, timeoutMs = defaultTimeoutMs } = options;
  const verdict = compared(scenario, options);
  // After the deadline nobody waits for it.
  verdict.catch(() => undefined);
  const deadline = new AbortController();
  try {
    return await Promise.race([
      verdict,
      delay(timeoutMs, undefined, { signal: deadline.signal }).then(() => {
        throw new Error(`not ended after ${timeoutMs} ms`);
      }),
    ]);
  } catch (error) {
    await dropDatabase(serverUrl, databaseOf(scenario));
    throw error;
  } finally {
    deadline.abort();
  }
}

function databaseOf(scenario: Scenario): string {
  return scenario.config["database.dbname"] ?? scenario.name;
}

async function compared(scenario: Scenario, options: ParityOptions): Promise<Verdict> {
  const { serverUrl, patienceMs = defaultPatienceMs } = options;
  const database = databaseOf(scenario);
  const url = await remakeDatabase(serverUrl, database);
  try {
    await setTimeZone(url, database, scenario);
    await execute(url, scenario.ddl);
    const run = await runEmbedded({ scenario, url, patienceMs });
    const schemas = new NumberedSchemas((id) => run.schemas.find((one) => one.id === id)?.schema);
    const events = toldEvents(run.records, schemas, encodingsOf(scenario.config));
    const told = {
      events,
      schemas: schemas.parsed(JSON.parse),
      sqlErrors: run.sqlErrors,
      ...(run.failure === undefined ? {} : { failure: run.failure }),
    };
    const found = differences(scenario, told);
    return verdict(scenario, found, await columnTypes(url));
  } finally {
    await dropDatabase(serverUrl, database);
  }
}

/** Statements mean what they meant where they were recorded; a capture must not mind. */
async function setTimeZone(url: string, database: string, scenario: Scenario): Promise<void> {
  const zone = scenario.recordedWith?.["serverTimeZone"] ?? "UTC";
  await execute(url, [
    `alter database ${JSON.stringify(database)} set timezone = '${zone.replaceAll("'", "''")}'`,
  ]);
}

function verdict(
  scenario: Scenario,
  found: readonly Difference[],
  types: ReadonlyMap<string, string>,
): Verdict {
  const { name } = scenario;
  const [first] = found;
  if (!first) return { name, equal: true, difference: null, deviation: null };
  const { deviation, unexplained } = deviationOf(found, { scenario, types });
  return {
    name,
    equal: false,
    difference: differenceText(unexplained ?? first),
    deviation: unexplained ? null : deviation,
  };
}
