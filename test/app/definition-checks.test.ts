import { describe, expect, test } from "vitest";

import { application } from "../../bin/system/definitions.ts";
import type { RowChange } from "../../engine/ports/codec.ts";
import type { AnyProcessor } from "../../engine/processor.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import {
  changeChecks,
  foldChanges,
  type GivenEvent,
  type History,
  processorChecks,
  projectionChecks,
} from "../../engine/testing/index.ts";
import type { ChangeTopic, EventTopic } from "../../engine/topic.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";
import { catalogueModules } from "../../schemas/topics.ts";
import { eventHistories, tableHistories } from "./histories.ts";

/** Every definition of the application is taken: one that reads a new topic needs a history of it. */
function eventsOf(topics: readonly EventTopic[]): readonly GivenEvent[] {
  return topics.flatMap(({ name }) => found(eventHistories, name));
}

const changesOf = ({ name }: ChangeTopic): readonly RowChange[] => found(tableHistories, name);

function found<Item>(histories: ReadonlyMap<string, readonly Item[]>, topic: string) {
  const history = histories.get(topic);
  if (history) return history;
  throw new Error(`A definition reads ${topic}, and test/app/histories.ts has no history of it.`);
}

const historyOf = (processor: AnyProcessor): History =>
  processor.kind === "events" ? eventsOf(processor.from) : changesOf(processor.from);

const checksOf = (projection: AnyProjection) =>
  projection.kind === "events"
    ? projectionChecks({ projection, events: eventsOf(projection.from) })
    : changeChecks({ projection, changes: changesOf(projection.from) });

describe.each<AnyProjection>([...application.projections])("projection $name", (projection) => {
  for (const { name, run } of checksOf(projection)) test(name, run);
});

describe.each<AnyProcessor>([...application.processors])("processor $name", (processor) => {
  const checks = processorChecks({ processor, history: historyOf(processor) });
  for (const { name, run } of checks) test(name, run);
});

test("the fold that others are compared with leaves the rows that the table has", () => {
  const modelRow = (code: string, capacity: number) => ({
    code,
    title: `Module ${code}`,
    capacity,
    feeCents: 0,
    opensAt: null,
    closesAt: Date.UTC(2026, 1, 1),
    updatedAt: Date.UTC(2026, 0, 1),
  });

  const rows = [modelRow("MA101", 11), modelRow("CH1", 2), modelRow("CH2", 3)];
  const folded = foldChanges(moduleCatalogue, changesOf(catalogueModules));
  expect(Object.fromEntries(folded)).toEqual(Object.fromEntries(rows.map((of) => [of.code, of])));
});
