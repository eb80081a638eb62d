import { startScenarioServer } from "./embedded/server.ts";
import { parityOf, type Verdict } from "./parity.ts";
import { readScenario, scenarioFiles } from "./scenario.ts";

export interface FolderReport {
  readonly scenarios: readonly Verdict[];
  readonly equal: number;
  readonly total: number;
}

export interface CompareFolder {
  readonly folder: string;
  /** Names of the scenarios that are compared; all of the folder without it. */
  readonly only: readonly string[];
  /** Gets each verdict as it comes. */
  readonly onVerdict: (verdict: Verdict) => unknown;
}

/** Compares every scenario of a folder, one after the other, on a server of its own. */
export async function compareFolder(options: CompareFolder): Promise<FolderReport> {
  const paths = await scenarioFiles(options.folder);
  await using server = await startScenarioServer();
  const scenarios: Verdict[] = [];
  for (const path of paths) {
    const name = /([^/\\]*)\.json$/.exec(path)?.[1] ?? path;
    if (options.only.length > 0 && !options.only.includes(name)) continue;
    const verdict = await verdictOf(path, name, server.url);
    scenarios.push(verdict);
    options.onVerdict(verdict);
  }
  const equal = scenarios.filter((verdict) => verdict.equal).length;
  return { scenarios, equal, total: scenarios.length };
}

async function verdictOf(path: string, name: string, serverUrl: string): Promise<Verdict> {
  try {
    return await parityOf(await readScenario(path), { serverUrl });
  } catch (error) {
    return { name, equal: false, difference: `not read: ${String(error)}`, deviation: null };
  }
}
