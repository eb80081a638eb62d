import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { projectRoot } from "../support/source-tree.ts";
import { absent, type Difference } from "./comparison/difference.ts";
import { deviationOf, deviations } from "./deviations.ts";
import type { Scenario } from "./scenario.ts";

const scenario: Scenario = {
  name: "x",
  ddl: [],
  dml: [],
  config: { "topic.prefix": "x" },
};

const types = new Map([
  ["public.t.label", "name"],
  ["public.t.text", "text"],
  ["public.t.bits", "bit(3)[]"],
]);

function column(name: string, ours: unknown): Difference {
  return { seq: 2, topic: "x.public.t", path: `value.after.${name}`, recorded: null, ours };
}

const halted = (ours: string): Difference[] => [
  { seq: 0, topic: "", path: "end", recorded: "runs on", ours },
  { seq: 2, topic: "x.public.t", path: "event", recorded: {}, ours: absent },
];

test("each deviation is a line of the table in docs/capture.md", async () => {
  const text = await readFile(join(projectRoot, "docs", "capture.md"), "utf8");
  const lines = text.split("\n").map((line) => line.split("|")[1]?.trim());
  for (const { name } of deviations) expect(lines).toContain(name);
});

test("a name that the connector loses is a deviation, a text that it tells as NULL is none", () => {
  const found = [column("label", "abc")];
  expect(deviationOf(found, { scenario, types }).deviation).toBe("type `name`");
  const other = column("text", "abc");
  expect(deviationOf([...found, other], { scenario, types })).toEqual({
    deviation: null,
    unexplained: other,
  });
});

test.each([
  "value-unsupported: The value NaN of type numeric can't be told.",
  "value-unsupported: The value -infinity of type date can't be told.",
  "value-unsupported: The value {{1,2},{3,4}} of type integer[] can't be told.",
])("a halt is a deviation where the connector mangles the value: %s", (ours) => {
  expect(deviationOf(halted(ours), { scenario, types }).unexplained).toBeUndefined();
});

test.each([
  "value-unsupported: The value 12 of type numeric can't be told.",
  "config-unsupported: The embedded capture doesn't support these options.",
  "unexpected: TypeError",
])("any other halt is none: %s", (ours) => {
  expect(deviationOf(halted(ours), { scenario, types }).unexplained).toBeDefined();
});

test("a field that is left out is a deviation for its column's type alone", () => {
  const recorded = { name: "bits", type: ["null", "bytes"] };
  const path = "valueSchema.fields[before].type[1].fields";
  const field = (name: string): Difference => ({
    ...column(name, absent),
    path: `${path}[${name}]`,
    recorded,
  });
  expect(deviationOf([field("bits"), column("bits", absent)], { scenario, types }).deviation).toBe(
    "arrays of bits",
  );
  expect(deviationOf([field("text")], { scenario, types }).deviation).toBeNull();
});

test("a halt explains nothing that was told wrong before", () => {
  const halt = halted("value-unsupported: The value NaN of type numeric can't be told.");
  const wrong = column("text", "abc");
  expect(deviationOf([...halt, wrong], { scenario, types }).unexplained).toBe(wrong);
});
