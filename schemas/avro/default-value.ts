import { branchOfDefault } from "./default-check.ts";
import type { RecordSchema, Schema } from "./schema.ts";

/**
 * Makes the value of a field's default, in the shape that decoding gives. Lists, maps, records and
 * bytes are made anew for each datum, so that changing one changes no other.
 */
export function defaultValue(schema: Schema, json: unknown): () => unknown {
  switch (schema.kind) {
    case "bytes":
    case "fixed":
      return () => Buffer.from(json as string, "latin1");
    case "long": {
      const value = readAsBigInt(schema) ? BigInt(json as number) : json;
      return () => value;
    }
    case "array": {
      const items = (json as readonly unknown[]).map((item) => defaultValue(schema.items, item));
      return () => items.map((make) => make());
    }
    case "map":
      return ofMap(schema.values, json as Readonly<Record<string, unknown>>);
    case "record":
      return ofRecord(schema, json as Readonly<Record<string, unknown>>);
    case "union": {
      const branch = branchOfDefault(schema.branches, json);
      return branch === undefined ? () => json : defaultValue(branch, json);
    }
    default:
      return () => json;
  }
}

/** `{"type": "long", "longAs": "bigint"}` in a reader's schema asks for bigints. */
export function readAsBigInt(schema: Schema): boolean {
  return schema.kind === "long" && schema.attributes["longAs"] === "bigint";
}

function ofMap(values: Schema, json: Readonly<Record<string, unknown>>): () => unknown {
  const entries = Object.entries(json).map(
    ([key, value]) => [key, defaultValue(values, value)] as const,
  );
  return () => Object.fromEntries(entries.map(([key, make]) => [key, make()]));
}

function ofRecord(schema: RecordSchema, json: Readonly<Record<string, unknown>>): () => unknown {
  const entries = schema.fields.map((field) => {
    const value = Object.hasOwn(json, field.name) ? json[field.name] : field.default?.value;
    return [field.name, defaultValue(field.type, value)] as const;
  });
  return () => Object.fromEntries(entries.map(([name, make]) => [name, make()]));
}
