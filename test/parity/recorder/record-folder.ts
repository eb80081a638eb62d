import { writeFile } from "node:fs/promises";

import { readScenario, scenarioFiles } from "../scenario.ts";
import { scenarioText } from "../scenario-text.ts";
import { Recorder, type Servers } from "./recorder.ts";

export interface RecordFolder {
  readonly folder: string;
  /** Names of the scenarios that are recorded; all of the folder without it. */
  readonly only: readonly string[];
  readonly servers: Servers;
  readonly onLine: (line: string) => unknown;
}

/** Records scenarios into their files; one that can't be run leaves its file as it is. */
export async function recordFolder(options: RecordFolder): Promise<"all" | "some"> {
  const recorder = new Recorder(options.servers);
  let failures = 0;
  for (const path of await scenarioFiles(options.folder)) {
    const scenario = await readScenario(path);
    if (options.only.length > 0 && !options.only.includes(scenario.name)) continue;
    try {
      const recorded = await recorder.record(scenario);
      await writeFile(path, scenarioText(recorded));
      const failed = recorded.connectorFailed?.split("\n")[0];
      const end = failed ?? (recorded.complete ? "" : "its end was not reached");
      options.onLine(`${scenario.name}: ${recorded.events?.length ?? 0} events ${end}`.trimEnd());
    } catch (error) {
      failures += 1;
      options.onLine(`${scenario.name}: not recorded: ${String(error)}`);
    }
  }
  return failures === 0 ? "all" : "some";
}
