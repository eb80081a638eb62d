import type { AvroWriter } from "../avro-writer.ts";
import { connectType, unavailable, type AvroType, type Converter } from "./converter.ts";

const digit0 = 0x30;
const minus = 0x2d;
const letterT = 0x74;
/** Digits that a number holds exactly, whatever they are. */
const exactDigits = 15;

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
    defaultOf: (literal = "0") => ({ json: Number(literal), text: literal }),
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

/** Number() reads all that Postgres writes except its infinities' sign-less form. */
function readFloat(bytes: Buffer, start: number, end: number): number {
  return Number(bytes.toString("latin1", start, end));
}

export const float32: Converter = {
  schema: "float",
  write: (to, bytes, start, end) => to.float(readFloat(bytes, start, end)),
  writeFallback: (to) => to.float(0),
  defaultOf: (literal = "0") => ({ json: Number(literal), text: literal }),
};

export const float64: Converter = {
  schema: "double",
  write: (to, bytes, start, end) => to.double(readFloat(bytes, start, end)),
  writeFallback: (to) => to.double(0),
  defaultOf: (literal = "0") => ({ json: Number(literal), text: literal }),
};

/** Text as it is, under a schema of its own where the type has a name. */
export function text(schema: AvroType, computedDefault = ""): Converter {
  return {
    schema,
    write: (to, bytes, start, end) => to.slice(bytes, start, end),
    writeFallback: (to) => to.string(""),
    writeUnavailable: (to) => to.string(unavailable),
    defaultOf: (literal = computedDefault) => ({ json: literal, text: literal }),
  };
}

export const plainText = text("string");
export const json = text(connectType("string", "io.debezium.data.Json"), "{}");
export const xml = text(connectType("string", "io.debezium.data.Xml"));
export const textVector = text(connectType("string", "io.debezium.data.Tsvector"));
export const uuid = text(
  connectType("string", "io.debezium.data.Uuid"),
  "00000000-0000-0000-0000-000000000000",
);

/** The labels stand in the schema in their order. */
export function enumeration(labels: readonly string[]): Converter {
  const allowed = { allowed: labels.join(",") };
  return text(connectType("string", "io.debezium.data.Enum", allowed), labels[0]);
}

export const bytes: Converter = {
  schema: "bytes",
  // Two characters, \x, come before the digits.
  write: (to, source, start, end) => to.hex(source.toString("latin1", start + 2, end)),
  writeFallback: (to) => to.long(0),
  writeUnavailable: (to) => to.string(unavailable),
  defaultOf: (literal = "\\x") => ({
    json: Buffer.from(literal.slice(2), "hex").toString("latin1"),
    text: literal,
  }),
};
