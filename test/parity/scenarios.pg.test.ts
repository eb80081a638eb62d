import { existsSync } from "node:fs";
import { join } from "node:path";

import { inject, test } from "vitest";

import { startThrowAwayPostgres } from "../support/own-postgres.ts";
import { projectRoot } from "../support/source-tree.ts";
import { parityOf } from "./parity.ts";
import { readScenario, type Scenario, scenarioFiles } from "./scenario.ts";

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

/**
 * A message's place in the log is where the record behind it begins, which is the next change's only
 * where nobody else writes meanwhile: to be compared, that takes a server of its own.
 */
const needsQuiet = (scenario: Scenario): boolean =>
  JSON.stringify(scenario).includes("pg_logical_emit_message");

// Side by side, since a scenario mostly waits for the server.
test.concurrent.for(named)(
  "%s is told as the connector tells it",
  async ([, scenario], { expect, onTestFinished }) => {
    let serverUrl = inject("postgresUrl");
    if (needsQuiet(scenario)) {
      const { server, end } = await startThrowAwayPostgres();
      onTestFinished(end);
      serverUrl = server.url;
    }
    const verdict = await parityOf(scenario, { serverUrl });
    const explained = verdict.equal || verdict.deviation !== null;
    expect(explained ? null : verdict.difference).toBeNull();
  },
);
