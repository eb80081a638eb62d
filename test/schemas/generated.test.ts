import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { generatedFiles, schemaFolders } from "../../schemas/generate.ts";
import { typescriptOf } from "../../schemas/typescript-of.ts";

const schemas = join(import.meta.dirname, "../../schemas");

test("the generated types are those of the .avsc files", () => {
  const expected = generatedFiles();
  expect(readdirSync(join(schemas, "generated")).sort()).toEqual([...expected.keys()].sort());
  for (const [file, text] of expected) {
    expect(readFileSync(join(schemas, "generated", file), "utf8")).toBe(text);
  }
});

test("an event's file bears its record's name, and its folder the end of its namespace", () => {
  for (const folder of schemaFolders.filter((folder) => folder !== "catalogue")) {
    for (const file of readdirSync(join(schemas, folder))) {
      const schema = JSON.parse(readFileSync(join(schemas, folder, file), "utf8")) as {
        name: string;
        namespace: string;
      };
      expect([`${schema.name}.avsc`, schema.namespace]).toEqual([file, `refold.${folder}`]);
    }
  }
});

test("the generator refuses what it would have to guess", () => {
  const field = (type: string): unknown => ({
    type: "record",
    name: "R",
    fields: [{ name: "a", type }],
  });
  expect(() => typescriptOf("R", field("Other") as "null")).toThrow(/refers to Other/);
  expect(() => typescriptOf("R", "string")).toThrow(/R\.avsc is not a record/);
});
