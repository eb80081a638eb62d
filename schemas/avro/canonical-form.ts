import type { NamedSchema, Schema } from "./schema.ts";

/**
 * The Parsing Canonical Form: what matters for reading, in one spelling. Two schemas with the same
 * form read the same bytes alike (specification, "Transforming into Parsing Canonical Form").
 */
export function canonicalForm(schema: Schema): string {
  return form(schema, new Set());
}

/** A named type is written out where it first stands, and is a name afterwards. */
function form(schema: Schema, seen: Set<NamedSchema>): string {
  switch (schema.kind) {
    case "array":
      return `{"type":"array","items":${form(schema.items, seen)}}`;
    case "map":
      return `{"type":"map","values":${form(schema.values, seen)}}`;
    case "union":
      return `[${schema.branches.map((branch) => form(branch, seen)).join(",")}]`;
    case "record":
    case "enum":
    case "fixed":
      return namedForm(schema, seen);
    default:
      return JSON.stringify(schema.kind);
  }
}

function namedForm(schema: NamedSchema, seen: Set<NamedSchema>): string {
  const name = JSON.stringify(schema.fullName);
  if (seen.has(schema)) return name;
  seen.add(schema);
  switch (schema.kind) {
    case "record": {
      const fields = schema.fields.map(
        (field) => `{"name":${JSON.stringify(field.name)},"type":${form(field.type, seen)}}`,
      );
      return `{"name":${name},"type":"record","fields":[${fields.join(",")}]}`;
    }
    case "enum":
      return `{"name":${name},"type":"enum","symbols":${JSON.stringify(schema.symbols)}}`;
    case "fixed":
      break;
  }
  return `{"name":${name},"type":"fixed","size":${schema.size}}`;
}
