import type { AvroWriter } from "../avro-writer.ts";
import { connectType, type AvroType, type Converter } from "./converter.ts";
import type { Placeholder } from "./placeholder.ts";

const digit0 = 0x30;
const minus = 0x2d;
const letterT = 0x74;
/** Digits that a number holds exactly, whatever they are. */
const exactDigits = 15;
const wholeNumber = /^-?\d+$/;

/** A whole number's digits, at most `exactDigits` of them. */
export function readInteger(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === minus;
  let value = 0;
  for (let at = negative ? start + 1 : start; at < end; at++) {
    value = value * 10 + ((bytes[at] as number) - digit0);
  }
  return negative && value !== 0 ? -value : value;
}

export function writeInteger(to: AvroWriter, bytes: Buffer, span: readonly [number, number]): void {
  const [start, end] = span;
  if (end - start <= exactDigits) to.long(readInteger(bytes, start, end));
  else to.bigLong(BigInt(bytes.toString("latin1", start, end)));
}

function integer(schema: AvroType): Converter {
  return {
    schema,
    write: (to, bytes, start, end) => writeInteger(to, bytes, [start, end]),
    writeFallback: (to) => to.long(0),
    defaultOf: (literal = "0") =>
      wholeNumber.test(literal) ? { json: Number(literal), text: literal } : undefined,
  };
}

export const int16 = integer({ type: "int", "connect.type": "int16" });
export const int32 = integer("int");
export const int64 = integer("long");

export const boolean: Converter = {
  schema: "boolean",
  write: (to, bytes, start) => to.boolean(bytes[start] === letterT),
  writeFallback: (to) => to.boolean(false),
  defaultOf: (literal = "f") => ({ json: literal.startsWith("t"), text: literal }),
};

/** Number() reads all that Postgres writes: its infinities have the same names. */
export function readFloat(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.toString("latin1", start, end));
}

/** JSON has no room for NaN and infinities as defaults. */
function floatDefault(literal = "0"): { json: number; text: string } | undefined {
  const json = Number(literal);
  return literal.trim() !== "" && Number.isFinite(json) ? { json, text: literal } : undefined;
}

export const float32: Converter = {
  schema: "float",
  write: (to, bytes, start, end) => to.float(readFloat(bytes, start, end)),
  writeFallback: (to) => to.float(0),
  defaultOf: floatDefault,
};

export const float64: Converter = {
  schema: "double",
  write: (to, bytes, start, end) => to.double(readFloat(bytes, start, end)),
  writeFallback: (to) => to.double(0),
  defaultOf: floatDefault,
};

/** Text as it is, under a schema of its own where the type has a name. */
export function text(schema: AvroType, placeholder: Placeholder, computed = ""): Converter {
  return {
    schema,
    write: (to, bytes, start, end) => to.slice(bytes, start, end),
    writeFallback: (to) => to.string(""),
    writeUnavailable: (to) => to.string(placeholder.text),
    defaultOf: (literal = computed) => ({ json: literal, text: literal }),
  };
}

export const namedText = {
  json: connectType("string", "io.debezium.data.Json"),
  xml: connectType("string", "io.debezium.data.Xml"),
  textVector: connectType("string", "io.debezium.data.Tsvector"),
  uuid: connectType("string", "io.debezium.data.Uuid"),
  labelTree: connectType("string", "io.debezium.data.Ltree"),
} as const;

export const zeroUuid = "00000000-0000-0000-0000-000000000000";

/** The labels stand in the schema in their order; a function that computes a default is not told. */
export function enumeration(labels: readonly string[], placeholder: Placeholder): Converter {
  const allowed = { allowed: labels.join(",") };
  const schema = connectType("string", "io.debezium.data.Enum", allowed);
  return {
    ...text(schema, placeholder),
    defaultOf: (literal) => (literal === undefined ? undefined : { json: literal, text: literal }),
  };
}
