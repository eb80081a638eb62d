import { SchemaError } from "./errors.ts";
import { describe, type RecordSchema, type Schema } from "./schema.ts";

interface Pending {
  readonly type: Schema;
  readonly value: unknown;
  readonly path: string;
}

/** Checks that the defaults of fields are JSON for a datum of the field's type. */
export class DefaultCheck {
  readonly #pending: Pending[] = [];

  add(type: Schema, value: unknown, path: string): void {
    this.#pending.push({ type, value, path });
  }

  /** @throws SchemaError for the first default that doesn't fit. */
  run(): void {
    for (const { type, value, path } of this.#pending) {
      if (fits(type, value)) continue;
      const text = JSON.stringify(value);
      throw new SchemaError(path, `${text} is no default for ${describe(type)}`);
    }
  }
}

/** The branch of a union that a default is of: the first that it fits. */
export function branchOfDefault(branches: readonly Schema[], value: unknown): Schema | undefined {
  return branches.find((branch) => fits(branch, value));
}

const int32Max = 2 ** 31;

function fits(type: Schema, value: unknown): boolean {
  switch (type.kind) {
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return Number.isInteger(value) && Number(value) >= -int32Max && Number(value) < int32Max;
    case "long":
      return Number.isInteger(value);
    case "float":
    case "double":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "bytes":
      return isBytes(value);
    case "fixed":
      return isBytes(value) && value.length === type.size;
    case "enum":
      return type.symbols.includes(value as string);
    case "array":
      return Array.isArray(value) && value.every((item) => fits(type.items, item));
    case "map":
      return isObject(value) && Object.values(value).every((item) => fits(type.values, item));
    case "union":
      return branchOfDefault(type.branches, value) !== undefined;
    case "record":
      break;
  }
  return isObject(value) && recordFits(type, value);
}

function recordFits(type: RecordSchema, value: Readonly<Record<string, unknown>>): boolean {
  return type.fields.every((field) =>
    Object.hasOwn(value, field.name)
      ? fits(field.type, value[field.name])
      : field.default !== undefined,
  );
}

/** JSON has bytes as text whose code points are the bytes. */
function isBytes(value: unknown): value is string {
  if (typeof value !== "string") return false;
  for (let index = 0; index < value.length; index += 1) {
    if (value.charCodeAt(index) > 0xff) return false;
  }
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
