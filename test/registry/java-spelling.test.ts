import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { javaSpelling } from "../../connectors/registry/confluent/java-spelling.ts";
import { parseSchema, schemaText } from "../../schemas/avro/index.ts";

const folder = join(import.meta.dirname, "../parity/scenarios");

/** Schemas as Debezium's converter registered them, by the scenario that they were recorded in. */
const recorded = readdirSync(folder).flatMap((file) => {
  const { schemas } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
    readonly schemas: Readonly<Record<string, unknown>>;
  };
  return Object.values(schemas).map((schema) => ({ file, text: JSON.stringify(schema) }));
});

test("what a Java converter has written stays as it is", () => {
  expect(recorded.length).toBeGreaterThan(100);
  for (const { file, text } of recorded) expect(javaSpelling(text), file).toBe(text);
});

test("names that are written in full become short within their namespace", () => {
  const seat = {
    name: "t.Seat",
    fields: [
      { type: { type: "string" }, name: "code", order: "ascending" },
      { name: "next", default: null, type: ["null", "t.Seat"] },
      { name: "row", type: { namespace: "other", type: "fixed", size: 2, name: "Row" } },
      {
        name: "kind",
        type: { name: "t.Kind", symbols: ["A"], type: "enum", "connect.version": 1 },
      },
    ],
    type: "record",
    doc: "one",
  };
  expect(javaSpelling(JSON.stringify(seat))).toBe(
    '{"type":"record","name":"Seat","namespace":"t","doc":"one","fields":[' +
      '{"name":"code","type":"string"},' +
      '{"name":"next","type":["null","Seat"],"default":null},' +
      '{"name":"row","type":{"type":"fixed","name":"Row","namespace":"other","size":2}},' +
      '{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"],"connect.version":1}}]}',
  );
});

test("the meaning stays, whatever the spelling was", () => {
  // That scenario's names aren't adjusted to what Avro allows.
  for (const { text } of recorded.filter(({ file }) => file !== "names_schemas.json")) {
    const full = schemaText(parseSchema(text));
    expect(schemaText(parseSchema(javaSpelling(full)))).toBe(full);
  }
});
