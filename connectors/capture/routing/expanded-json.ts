import { AvroWriter } from "../avro-writer.ts";
import type { AvroType, AvroTypeObject } from "../types/converter.ts";

/** A JSON document as a record: its own schema, and the value by it. */
export interface ExpandedJson {
  readonly type: AvroType;
  readonly encoded: Buffer;
}

/** Whether fields that are null are left out, or told as bytes that are null. */
export type JsonNulls = "left-out" | "bytes";

/** A number as it was written: 1.0 is no whole number. */
class JsonNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  get type(): "int" | "long" | "double" {
    if (!/^-?\d+$/.test(this.source)) return "double";
    const value = BigInt(this.source);
    if (BigInt.asIntN(32, value) === value) return "int";
    return BigInt.asIntN(64, value) === value ? "long" : "double";
  }
}

type Json = null | boolean | string | JsonNumber | readonly Json[] | Map<string, Json>;

/**
 * A JSON object or array as Debezium's router expands it; undefined where it can't be: no JSON,
 * neither object nor array, or an array whose items have several types.
 */
export function expandedJson(text: string, nulls: JsonNulls): ExpandedJson | undefined {
  if (!/^[{[]/.test(text)) return undefined;
  const document = parse(text);
  const type = document === undefined ? undefined : documentType(document, nulls);
  // An array at the top has no fields that could be read.
  if (document === undefined || !type || !isRecord(type)) return undefined;
  const to = new AvroWriter(Math.max(4_096, text.length * 2));
  write(to, type, document);
  return { type, encoded: to.finish() };
}

function parse(text: string): Json | undefined {
  const reviver = (_: string, value: unknown, context: { source?: string }): unknown => {
    if (typeof value === "number") return new JsonNumber(context.source ?? String(value));
    if (value === null || typeof value !== "object" || value instanceof JsonNumber) return value;
    return Array.isArray(value) ? value : new Map(Object.entries(value));
  };
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as Json;
  } catch {
    return undefined;
  }
}

function documentType(document: Json, nulls: JsonNulls): AvroType | undefined {
  try {
    return typeOf("payload", document, nulls);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** undefined: nothing is told of it. */
function typeOf(name: string, value: Json, nulls: JsonNulls): AvroType | undefined {
  if (value === null) return nulls === "bytes" ? "bytes" : undefined;
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return "string";
  if (value instanceof JsonNumber) return value.type;
  if (value instanceof Map) return recordOf(name, value, nulls);
  return arrayOf(name, value, nulls);
}

function recordOf(name: string, fields: Map<string, Json>, nulls: JsonNulls): AvroTypeObject {
  const told = [...fields].flatMap(([field, value]) => {
    const type = typeOf(`${name}.${field}`, value, nulls);
    return type === undefined ? [] : [{ name: field, type: ["null", type], default: null }];
  });
  const at = name.lastIndexOf(".");
  return {
    type: "record",
    name: name.slice(at + 1),
    ...(at < 0 ? {} : { namespace: name.slice(0, at) }),
    fields: told,
    "connect.name": name,
  };
}

/** @throws RangeError where items have several types. */
function arrayOf(name: string, items: readonly Json[], nulls: JsonNulls): AvroType | undefined {
  const types = items.flatMap((item) => (item === null ? [] : (typeOf(name, item, nulls) ?? [])));
  const [first] = types;
  if (first === undefined) return undefined;
  const merged = types.reduce((one, other) => mergedType(one, other));
  return { type: "array", items: ["null", merged] };
}

function mergedType(one: AvroType, other: AvroType): AvroType {
  if (isRecord(one) && isRecord(other)) {
    const fields = [...fieldsOf(one), ...fieldsOf(other)];
    const byName = new Map(fields.map((field) => [field.name, field]));
    return { ...one, fields: [...byName.values()] };
  }
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new RangeError("items of several types");
  return one;
}

interface Field {
  readonly name: string;
  readonly type: readonly ["null", AvroType];
}

function fieldsOf(record: AvroTypeObject): readonly Field[] {
  return record["fields"] as readonly Field[];
}

function isRecord(type: AvroType): type is AvroTypeObject {
  return typeof type === "object" && "type" in type && type.type === "record";
}

function write(to: AvroWriter, type: AvroType, value: Json): void {
  if (value instanceof Map) {
    for (const field of fieldsOf(type as AvroTypeObject)) {
      writeOptional(to, field.type[1], value.get(field.name) ?? null);
    }
  } else if (value instanceof JsonNumber) writeNumber(to, type, value);
  else if (typeof value === "boolean") to.boolean(value);
  else if (typeof value === "string") to.string(value);
  else if (Array.isArray(value)) writeItems(to, type as AvroTypeObject, value as readonly Json[]);
}

function writeOptional(to: AvroWriter, type: AvroType, value: Json): void {
  to.byte(value === null ? 0 : 2);
  if (value !== null) write(to, type, value);
}

function writeItems(to: AvroWriter, type: AvroTypeObject, items: readonly Json[]): void {
  const [, item] = type["items"] as readonly ["null", AvroType];
  if (items.length > 0) to.long(items.length);
  for (const one of items) writeOptional(to, item, one);
  to.long(0);
}

function writeNumber(to: AvroWriter, type: AvroType, { source }: JsonNumber): void {
  if (type === "double") to.double(Number(source));
  else to.bigLong(BigInt(source));
}
