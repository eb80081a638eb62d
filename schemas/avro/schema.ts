/** Parsed Avro schemas (https://avro.apache.org/docs/1.12.0/specification/). Named types that refer to
 * themselves are cycles of these objects.
 */
export type Schema =
  PrimitiveSchema | ArraySchema | MapSchema | UnionSchema | RecordSchema | EnumSchema | FixedSchema;

export type NamedSchema = RecordSchema | EnumSchema | FixedSchema;

export const primitiveKinds = [
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
] as const;

export type PrimitiveKind = (typeof primitiveKinds)[number];

/** Properties that the specification gives no meaning here: logical types, Connect's names. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface PrimitiveSchema {
  readonly kind: PrimitiveKind;
  readonly attributes: Attributes;
}

export interface ArraySchema {
  readonly kind: "array";
  readonly items: Schema;
  readonly attributes: Attributes;
}

export interface MapSchema {
  readonly kind: "map";
  readonly values: Schema;
  readonly attributes: Attributes;
}

/** May be empty: then it has no data. */
export interface UnionSchema {
  readonly kind: "union";
  readonly branches: readonly Schema[];
}

interface Named {
  readonly fullName: string;
  /** Without namespace. */
  readonly shortName: string;
  /** Full names that this type is known by as a reader. */
  readonly aliases: readonly string[];
  readonly doc?: string;
  readonly attributes: Attributes;
}

export interface RecordSchema extends Named {
  readonly kind: "record";
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: Schema;
  /** JSON, as the schema has it; in an object, so that a default of null is told from none. */
  readonly default?: { readonly value: unknown };
  readonly doc?: string;
  readonly order: "ascending" | "descending" | "ignore";
  readonly attributes: Attributes;
}

export interface EnumSchema extends Named {
  readonly kind: "enum";
  readonly symbols: readonly string[];
  /** What a reader sees in place of a symbol that it doesn't have. */
  readonly default?: string;
}

export interface FixedSchema extends Named {
  readonly kind: "fixed";
  /** Bytes. */
  readonly size: number;
}

export function isNamed(schema: Schema): schema is NamedSchema {
  return schema.kind === "record" || schema.kind === "enum" || schema.kind === "fixed";
}

/** How messages call a schema: its full name, or its kind. */
export function describe(schema: Schema): string {
  if (isNamed(schema)) return `${schema.kind} ${schema.fullName}`;
  if (schema.kind === "union") return `union of ${schema.branches.map(describe).join(", ")}`;
  return schema.kind;
}
