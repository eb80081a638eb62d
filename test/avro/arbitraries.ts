import * as fc from "fast-check";

import type { Schema } from "../../schemas/avro/index.ts";

type Source = unknown;

const primitive = fc.constantFrom(
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
);
const symbols = fc.subarray(["A", "B", "C", "D"], { minLength: 1 });

/** The numbers after `#` become names of their own, so that no name is defined twice. */
const shape = fc.letrec<Record<"any" | "leaf" | "list" | "union" | "record", Source>>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    tie("list"),
    tie("union"),
    tie("record"),
  ),
  leaf: fc.oneof(
    { arbitrary: primitive, weight: 5 },
    { arbitrary: symbols.map((list) => ({ type: "enum", name: "#E", symbols: list })), weight: 1 },
    {
      arbitrary: symbols.map((list) => ({
        type: "enum",
        name: "#E",
        symbols: list,
        default: list[0],
      })),
      weight: 1,
    },
    {
      arbitrary: fc.constantFrom(1, 4).map((size) => ({ type: "fixed", name: "#F", size })),
      weight: 1,
    },
  ),
  list: fc.oneof(
    tie("any").map((items) => ({ type: "array", items })),
    tie("any").map((values) => ({ type: "map", values })),
  ),
  union: fc.uniqueArray(fc.oneof(tie("leaf"), tie("record")), {
    maxLength: 4,
    minLength: 1,
    selector: kindOf,
  }),
  record: fc
    .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "d"), tie("any"), fc.boolean()), {
      maxLength: 4,
      selector: ([name]) => name,
    })
    .map((fields) => ({
      type: "record",
      name: "#R",
      fields: fields.map(([name, type, optional]) =>
        optional && type === "int" ? { name, type, default: 7 } : { name, type },
      ),
    })),
}));

function kindOf(source: Source): string {
  return typeof source === "string" ? source : (source as { type: string }).type;
}

/** Gives each definition the name of its kind and its number among all of that kind. */
function named(source: Source, counts = new Map<string, number>()): Source {
  if (Array.isArray(source)) return source.map((branch) => named(branch, counts));
  if (typeof source !== "object" || source === null) return source;
  const entries = Object.entries(source).map(([key, value]) => {
    if (key !== "name" || !String(value).startsWith("#"))
      return [key, named(value, counts)] as const;
    const count = counts.get(String(value)) ?? 0;
    counts.set(String(value), count + 1);
    return [key, `${String(value).slice(1)}${count}`] as const;
  });
  return Object.fromEntries(entries);
}

/** JSON of a schema. */
export const schemaSource: fc.Arbitrary<Source> = shape.any.map((source) => named(source));

/** Two schemas, often near each other: one is the other with something changed. */
export const schemaPair: fc.Arbitrary<{ reader: Source; writer: Source }> = fc.oneof(
  fc.record({ reader: schemaSource, writer: schemaSource }),
  fc.tuple(shape.record, fc.infiniteStream(fc.nat(9))).map(([source, choices]) => ({
    writer: named(source),
    reader: named(changed(source, choices)),
  })),
);

/** Promotes numbers, drops fields, adds fields with defaults, wraps in unions: here and there. */
function changed(source: Source, choices: Iterator<number>): Source {
  const choice: number = choices.next().value ?? 0;
  if (source === "int" && choice < 4) return ["long", "double", ["null", "int"], "string"][choice];
  if (source === "string" && choice < 2) return ["bytes", ["string", "null"]][choice];
  if (typeof source === "string") return source;
  if (Array.isArray(source)) {
    const wider = source.some((branch) => kindOf(branch) === "null") ? source : ["null", ...source];
    return choice < 5 ? source : wider;
  }
  const { fields, items, values } = source as Record<string, unknown>;
  if (Array.isArray(fields)) return changedRecord(source as { fields: readonly object[] }, choices);
  if (items !== undefined) return { type: "array", items: changed(items, choices) };
  return values === undefined ? source : { type: "map", values: changed(values, choices) };
}

function changedRecord(source: { fields: readonly object[] }, choices: Iterator<number>): Source {
  const fields = source.fields.flatMap((field) => {
    const choice: number = choices.next().value ?? 0;
    if (choice === 0) return [];
    const { name, type } = field as { name: string; type: Source };
    return [choice < 4 ? { name, type: changed(type, choices) } : { name, type }];
  });
  const choice: number = choices.next().value ?? 0;
  const added = { name: "z", type: "string", default: "new" };
  return { ...source, fields: choice < 5 ? [...fields, added] : fields };
}

/** Data of a schema, in the shape that decoding gives. */
export function datumOf(schema: Schema, longs = fc.maxSafeInteger()): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "int":
      return fc.integer();
    case "long":
      return longs;
    case "float":
      return fc.float({ noNaN: true });
    case "double":
      return fc.double({ noNaN: true });
    case "string":
      return fc.string({ unit: "binary" });
    case "bytes":
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
    case "fixed":
      return fc
        .uint8Array({ minLength: schema.size, maxLength: schema.size })
        .map((bytes) => Buffer.from(bytes));
    case "enum":
      return fc.constantFrom(...schema.symbols);
    case "array":
      return fc.array(datumOf(schema.items, longs), { maxLength: 4 });
    case "map":
      return fc
        .dictionary(fc.string({ maxLength: 4 }), datumOf(schema.values, longs), {
          maxKeys: 4,
          noNullPrototype: true,
        })
        .filter((map) => !Object.hasOwn(map, "__proto__"));
    case "union":
      return fc.oneof(...schema.branches.map((branch) => datumOf(branch, longs)));
    case "record":
      break;
  }
  const fields = schema.fields.map((field) => [field.name, datumOf(field.type, longs)] as const);
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true });
}
