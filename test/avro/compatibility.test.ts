import { describe, expect, test } from "vitest";

import { incompatibilities, parseSchema } from "../../schemas/avro/index.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly reader: unknown;
  readonly writer: unknown;
  readonly compatible: boolean;
  readonly why?: { readonly types: readonly string[]; readonly locations: readonly string[] };
}

const int = { type: "record", name: "R", fields: [{ name: "a", type: "int" }] };
const fields = (...list: readonly unknown[]): unknown => ({
  type: "record",
  name: "R",
  fields: list,
});
const own: readonly Case[] = [
  { id: "an int is read as a long", reader: "long", writer: "int", compatible: true },
  {
    id: "names match without namespace",
    reader: { ...int, namespace: "x" },
    writer: int,
    compatible: true,
  },
  { id: "an empty union writes nothing", reader: ["int"], writer: [], compatible: true },
  {
    id: "a field that nobody writes needs a default",
    reader: fields({ name: "a", type: "int" }, { name: "b", type: "int" }),
    writer: int,
    compatible: false,
    why: { types: ["reader_field_missing_default_value"], locations: ["/fields/1"] },
  },
  {
    id: "an enum's default stands in for no field",
    reader: fields({ name: "b", type: { type: "enum", name: "E", symbols: ["A"], default: "A" } }),
    writer: int,
    compatible: false,
    why: { types: ["type_mismatch"], locations: ["/fields/0/type"] },
  },
  {
    id: "a fixed type keeps its size",
    reader: fields({ name: "a", type: { type: "fixed", name: "F", size: 4 } }),
    writer: fields({ name: "a", type: { type: "fixed", name: "F", size: 8 } }),
    compatible: false,
    why: { types: ["fixed_size_mismatch"], locations: ["/fields/0/type/size"] },
  },
  {
    id: "every branch of the writer's union needs a reader",
    reader: ["int", "string"],
    writer: ["int", "boolean", "bytes"],
    compatible: false,
    why: { types: ["missing_union_branch"], locations: ["/1"] },
  },
  {
    id: "a symbol needs a reader or a default",
    reader: { type: "enum", name: "E", symbols: ["A"] },
    writer: { type: "enum", name: "E", symbols: ["A", "B"] },
    compatible: false,
    why: { types: ["missing_enum_symbols"], locations: ["/symbols"] },
  },
];

describe("compatibility as Avro has it", () => {
  test.each(vectors("compat", own))("$id", ({ reader, writer, compatible, why }) => {
    const found = incompatibilities(parseSchema(reader), parseSchema(writer));
    expect(found.length === 0).toBe(compatible);
    if (why === undefined) return;
    expect(new Set(found.map((one) => one.reason))).toEqual(
      new Set(why.types.map((type) => type.toUpperCase())),
    );
    // A name's place is told with the "/" of the whole schema beside it; Java has only the first.
    const places = why.locations.filter((path, _, all) => path !== "/" || all.length === 1);
    expect(new Set(found.map((one) => one.path))).toEqual(new Set(places));
  });
});

test("a pair of records that fails within a union's trial is told where it stands by itself", () => {
  const inner = (type: string): unknown => ({
    type: "record",
    name: "In",
    fields: [{ name: "x", type }],
  });
  const reader = fields(
    { name: "u", type: [inner("int"), { type: "map", values: "In" }, "string"] },
    { name: "d", type: "In" },
  );
  const writer = fields(
    { name: "u", type: [inner("string"), "string"] },
    { name: "d", type: "In" },
  );
  const found = incompatibilities(parseSchema(reader), parseSchema(writer));
  expect(found.map(({ reason, path }) => [reason, path])).toEqual([
    ["MISSING_UNION_BRANCH", "/fields/0/type/0"],
    ["TYPE_MISMATCH", "/fields/1/type/fields/0/type"],
  ]);
});

test("a yes that rested on a pair found wanting later is forgotten with it", () => {
  // Within the trial of A's first branch, B is taken to be readable because A is; then A fails.
  const schema = (extra: string): unknown => ({
    type: "record",
    name: "A",
    fields: [
      {
        name: "b",
        type: ["null", { type: "record", name: "B", fields: [{ name: "a", type: ["null", "A"] }] }],
      },
      { name: "x", type: extra },
    ],
  });
  const reader = fields({ name: "u", type: ["string", schema("int")] }, { name: "v", type: "B" });
  const writer = fields(
    { name: "u", type: ["string", schema("string")] },
    { name: "v", type: "B" },
  );
  const found = incompatibilities(parseSchema(reader), parseSchema(writer));
  expect(found.map(({ path }) => path)).toEqual([
    "/fields/0/type/1",
    "/fields/1/type/fields/0/type/1",
  ]);
});

test("records doubled thirty times over are compared in a moment", () => {
  const doubled = (leaf: string): unknown => {
    let type: unknown = { type: "record", name: "R0", fields: [{ name: "x", type: leaf }] };
    for (let level = 1; level <= 30; level += 1) {
      const name = `R${level}`;
      const again = `R${level - 1}`;
      type = {
        type: "record",
        name,
        fields: [
          { name: "a", type },
          { name: "b", type: again },
        ],
      };
    }
    return type;
  };
  const found = incompatibilities(parseSchema(doubled("int")), parseSchema(doubled("string")));
  expect(found).toHaveLength(1);
  expect(incompatibilities(parseSchema(doubled("long")), parseSchema(doubled("int")))).toEqual([]);
});
