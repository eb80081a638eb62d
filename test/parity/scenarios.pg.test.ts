import { existsSync } from "node:fs";
import { join } from "node:path";

import { inject, test } from "vitest";

import { projectRoot } from "../support/source-tree.ts";
import { parityOf } from "./parity.ts";
import { readScenario, scenarioFiles } from "./scenario.ts";

/** Recordings that may lie beside the project, and its own. */
const folders = [
  join(projectRoot, "..", "shared", "vectors", "debezium"),
  join(import.meta.dirname, "scenarios"),
];

const files = (
  await Promise.all(folders.filter((one) => existsSync(one)).map(scenarioFiles))
).flat();
const scenarios = await Promise.all(files.map(readScenario));
const named = scenarios.map((scenario) => [scenario.name, scenario] as const);

// Side by side, since a scenario mostly waits for the server.
test.concurrent.for(named)(
  "%s is told as the connector tells it",
  async ([, scenario], { expect }) => {
    const verdict = await parityOf(scenario, { serverUrl: inject("postgresUrl") });
    const explained = verdict.equal || verdict.deviation !== null;
    expect(explained ? null : verdict.difference).toBeNull();
  },
);
