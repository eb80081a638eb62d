import { isNamed, type NamedSchema, type Schema } from "./schema.ts";

/** Every named type in these schemas, each once, as it is met. */
export function namedTypes(schemas: readonly Schema[]): ReadonlySet<NamedSchema> {
  const found = new Set<NamedSchema>();
  for (const schema of schemas) collect(schema, found);
  return found;
}

function collect(schema: Schema, found: Set<NamedSchema>): void {
  if (schema.kind === "array") collect(schema.items, found);
  else if (schema.kind === "map") collect(schema.values, found);
  else if (schema.kind === "union") for (const branch of schema.branches) collect(branch, found);
  else if (isNamed(schema) && !found.has(schema)) {
    found.add(schema);
    if (schema.kind === "record") for (const field of schema.fields) collect(field.type, found);
  }
}
