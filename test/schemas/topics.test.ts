import { expect, test } from "vitest";

import { integer } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import {
  defineChangeTopic,
  defineTopic,
  type AnyEventType,
  type EventTopic,
  type NameOf,
} from "../../engine/topic.ts";
import {
  catalogueModules,
  moduleEvents,
  registrationUpdates,
  type ModuleOffered,
} from "../../schemas/index.ts";

const eventTopics: readonly EventTopic[] = [moduleEvents, registrationUpdates];

test("the topics obey the rules of event topics", () => {
  expect(defineTopic(moduleEvents)).toEqual(moduleEvents);
  expect(defineTopic(registrationUpdates)).toEqual(registrationUpdates);
  expect(defineChangeTopic(catalogueModules)).toEqual(catalogueModules);
});

test("a tag is a field's id, and every id that an event carries is tagged", () => {
  for (const topic of eventTopics) {
    for (const event of topic.events) {
      const ids = event.schema.fields
        .map((field) => field.name)
        .filter((name) => name.endsWith("Id") || name === "moduleCode");
      expect(Object.keys(topic.tags)).toEqual(expect.arrayContaining(ids));
    }
  }
});

test("types of the events reach a definition on the topic", () => {
  const namesOf = <T extends AnyEventType>(topic: EventTopic<T>): readonly NameOf<T>[] =>
    topic.events.map((event) => event.name as NameOf<T>);
  const names: readonly string[] = namesOf(moduleEvents);
  const updates: readonly "SeatAvailableChanged"[] = namesOf(registrationUpdates);
  const projection = defineProjection({
    name: "updates",
    version: 1,
    from: registrationUpdates,
    row: { available: integer() },
    key: (event) => event.moduleCode,
    on: { SeatAvailableChanged: (_, event) => ({ available: event.available }) },
  });
  expect(projection.from).toEqual([registrationUpdates]);
  const offered: ModuleOffered = {
    moduleCode: "M",
    title: "t",
    capacity: 1,
    feeCents: 0,
    opensAt: null,
    closesAt: null,
  };
  expect(names).toContain("RegistrationCancelled");
  expect(updates).toEqual(["SeatAvailableChanged"]);
  expect(offered.opensAt).toBeNull();
});
