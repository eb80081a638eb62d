import { namedTypes } from "./named-types.ts";
import type { Attributes, Field, NamedSchema, Schema } from "./schema.ts";

export interface SchemaTextOptions {
  /** Named types in these are written as names: they stand elsewhere. */
  readonly references?: readonly Schema[];
}

/**
 * A schema's whole text in one spelling: names in full, keys in a fixed order, primitives short.
 * Unlike the canonical form it keeps defaults, aliases, documentation, orders and attributes, so
 * that schemas which differ in these are told apart.
 */
export function schemaText(schema: Schema, options: SchemaTextOptions = {}): string {
  return JSON.stringify(written(schema, new Set(namedTypes(options.references ?? []))));
}

type Json = Record<string, unknown>;

function written(schema: Schema, seen: Set<NamedSchema>): unknown {
  switch (schema.kind) {
    case "array":
      return { type: "array", items: written(schema.items, seen), ...sorted(schema.attributes) };
    case "map":
      return { type: "map", values: written(schema.values, seen), ...sorted(schema.attributes) };
    case "union":
      return schema.branches.map((branch) => written(branch, seen));
    case "record":
    case "enum":
    case "fixed":
      return writtenNamed(schema, seen);
    default:
      return Object.keys(schema.attributes).length === 0
        ? schema.kind
        : { type: schema.kind, ...sorted(schema.attributes) };
  }
}

function writtenNamed(schema: NamedSchema, seen: Set<NamedSchema>): unknown {
  if (seen.has(schema)) return schema.fullName;
  seen.add(schema);
  const json: Json = { type: schema.kind, name: schema.fullName };
  if (schema.doc !== undefined) json["doc"] = schema.doc;
  if (schema.aliases.length > 0) json["aliases"] = schema.aliases;
  if (schema.kind === "record") json["fields"] = schema.fields.map((f) => writtenField(f, seen));
  if (schema.kind === "fixed") json["size"] = schema.size;
  if (schema.kind === "enum") {
    json["symbols"] = schema.symbols;
    if (schema.default !== undefined) json["default"] = schema.default;
  }
  return { ...json, ...sorted(schema.attributes) };
}

function writtenField(field: Field, seen: Set<NamedSchema>): unknown {
  const json: Json = { name: field.name, type: written(field.type, seen) };
  if (field.default !== undefined) json["default"] = field.default.value;
  if (field.doc !== undefined) json["doc"] = field.doc;
  if (field.aliases.length > 0) json["aliases"] = field.aliases;
  if (field.order !== "ascending") json["order"] = field.order;
  return { ...json, ...sorted(field.attributes) };
}

function sorted(attributes: Attributes): Json {
  return Object.fromEntries(
    Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : Number(a > b))),
  );
}
