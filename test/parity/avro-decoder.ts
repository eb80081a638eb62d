import avro from "avsc";

import { isRecord } from "./comparison/fields.ts";

const types = new Map<string, avro.Type>();

/**
 * Decodes with a library that shares nothing with our own codec. Gives what JSON has room for:
 * unions unwrapped, bytes in base64, longs beyond 2^53, NaN, infinities and -0 as text.
 */
export function decodeAvro(schema: string, bytes: Buffer): unknown {
  let type = types.get(schema);
  if (!type) {
    const decodable = decodableSchema(JSON.parse(schema)) as avro.Schema;
    type = avro.Type.forSchema(decodable, { wrapUnions: false, typeHook });
    types.set(schema, type);
  }
  return plain(type.fromBuffer(bytes));
}

/**
 * The schema without what decoding doesn't need and the library refuses: defaults beyond 2^53, and
 * names that Avro doesn't allow but Java's writer doesn't check.
 */
function decodableSchema(schema: unknown): unknown {
  if (typeof schema === "string") return allowedName(schema);
  if (Array.isArray(schema)) return schema.map(decodableSchema);
  if (!isRecord(schema)) return schema;
  const names = ["name", "namespace"].flatMap((attribute) =>
    typeof schema[attribute] === "string" ? [[attribute, allowedName(schema[attribute])]] : [],
  );
  const parts = ["type", "items", "values", "fields"].flatMap((attribute) =>
    attribute in schema ? [[attribute, decodableSchema(schema[attribute])]] : [],
  );
  const rest = ["size", "symbols"].flatMap((attribute) =>
    attribute in schema ? [[attribute, schema[attribute]]] : [],
  );
  return Object.fromEntries([...names, ...parts, ...rest] as [string, unknown][]);
}

function allowedName(name: string): string {
  const parts = name.split(".").map((part) => {
    const allowed = part.replaceAll(/\W/g, (letter) => `_u${letter.codePointAt(0)}_`);
    return /^\d/.test(allowed) ? `_${allowed}` : allowed;
  });
  return parts.join(".");
}

const longs = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0),
});

const typeHook = (attributes: unknown): avro.Type | undefined => {
  const named = typeof attributes === "string" ? attributes : undefined;
  const kind = named ?? (attributes as { type?: unknown }).type;
  return kind === "long" ? longs : undefined;
};

/** Objects without prototypes and with text for what JSON has no room for. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const fits = value >= -(2n ** 53n) && value <= 2n ** 53n;
    return fits ? Number(value) : String(value);
  }
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : floatText(value);
  }
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

function floatText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
