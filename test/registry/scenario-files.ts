import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Scenario } from "./scenario.ts";

/** Our own, and those that lie beside the project where there are any. */
const folders = [
  join(import.meta.dirname, "scenarios"),
  join(import.meta.dirname, "../../../shared/vectors/registry"),
];

export interface ScenarioFile {
  readonly name: string;
  readonly scenarios: readonly Scenario[];
}

export function scenarioFiles(): readonly ScenarioFile[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => ({
          name,
          scenarios: JSON.parse(readFileSync(join(folder, name), "utf8")) as readonly Scenario[],
        })),
    );
}
