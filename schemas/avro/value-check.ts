import type { RecordSchema, Schema } from "./schema.ts";

/**
 * Index of the first branch of a union that a value fits; -1 when it fits none. A float that would
 * round the value stands behind all the others.
 */
export function branchOf(branches: readonly Schema[], value: unknown): number {
  const first = branches.findIndex((branch) => fits(branch, value));
  if (branches[first]?.kind !== "float" || Object.is(Math.fround(value as number), value)) {
    return first;
  }
  const other = branches.findIndex((branch) => branch.kind !== "float" && fits(branch, value));
  return other < 0 ? first : other;
}

/** Can the value be written with this schema? */
function fits(schema: Schema, value: unknown): boolean {
  switch (schema.kind) {
    case "null":
      return value === null;
    case "boolean":
    case "string":
      return typeof value === schema.kind;
    case "int":
      return typeof value === "number" && Object.is(value, value | 0);
    case "long":
      return typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0));
    case "float":
    case "double":
      return typeof value === "number";
    case "bytes":
      return value instanceof Uint8Array;
    case "fixed":
      return value instanceof Uint8Array && value.length === schema.size;
    case "enum":
      return schema.symbols.includes(value as string);
    case "array":
      return Array.isArray(value) && value.every((item) => fits(schema.items, item));
    case "map":
      return isObject(value) && Object.values(value).every((item) => fits(schema.values, item));
    case "union":
      return branchOf(schema.branches, value) >= 0;
    case "record":
      break;
  }
  return isObject(value) && recordFits(schema, value);
}

/** A record has no fields that the schema lacks: so the records of a union are told apart. */
function recordFits(schema: RecordSchema, value: Readonly<Record<string, unknown>>): boolean {
  const names = new Set(schema.fields.map((field) => field.name));
  return (
    Object.keys(value).every((name) => names.has(name)) &&
    schema.fields.every((field) => {
      const item = value[field.name];
      return item === undefined ? field.default !== undefined : fits(field.type, item);
    })
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}
