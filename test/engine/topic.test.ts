import { expect, test } from "vitest";

import { defineTopic, type EventType } from "../../engine/topic.ts";

const noKey: EventType<"Odd", { code: string }> = {
  name: "Odd",
  fullName: "t.Odd",
  schema: { type: "record", name: "Odd", namespace: "t", fields: [{ name: "code", type: "int" }] },
};

test("names every fault of a topic at once", () => {
  const define = (): unknown =>
    defineTopic({ name: "a topic", key: "code", partitions: 0, events: [noKey, noKey] });
  expect(define).toThrow(/characters that Kafka refuses/);
  expect(define).toThrow(/partitions must be a positive integer/);
  expect(define).toThrow(/two event types are named Odd/);
  expect(define).toThrow(/no string field code/);
});
