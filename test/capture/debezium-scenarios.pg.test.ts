import { expect, test } from "vitest";

import { ownScenario } from "./own-scenario.ts";
import { hasRecordings, readScenario, runScenario, toldEvents } from "./recorded-scenario.ts";

/** Recorded scenarios whose tables hold only what the capture tells as the connector does. */
const covered = [
  "composite_key",
  "copy_100",
  "crud_default",
  "crud_full",
  "defaults_not_null",
  "interleaved_tx",
  "key_change_default",
  "multi_row_insert",
  "multi_table_tx",
  "names_multibyte",
  "no_primary_key_full",
  "partitioned_root",
  "restart",
  "rollback",
  "savepoint",
  "snapshot_initial",
  "toast_default",
  "truncate_none",
  "types_float",
  "types_temporal",
  "types_uuid_json_net",
];

/** The recordings where they lie beside the project; the one of our own always. */
const recorded = hasRecordings ? await Promise.all(covered.map(readScenario)) : [];
const scenarios = [ownScenario, ...recorded].map((scenario) => [scenario.name, scenario] as const);

test.each(scenarios)("%s is told as Debezium tells it", async (_, scenario) => {
  expect(await runScenario(scenario)).toEqual(toldEvents(scenario));
});
