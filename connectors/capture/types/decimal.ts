import type { AvroWriter } from "../avro-writer.ts";
import {
  unrepresentable,
  type AvroDefault,
  type AvroTypeObject,
  type Converter,
} from "./converter.ts";
import { readInteger } from "./plain.ts";

const point = 0x2e;
const minus = 0x2d;
const digit9 = 0x39;
const exactDigits = 15;

/** Writes a whole number as Avro bytes: two's complement, big-endian, as few bytes as can be. */
function writeUnscaled(to: AvroWriter, value: bigint): void {
  to.bytes(twosComplement(value));
}

export function twosComplement(value: bigint): Buffer {
  // A negative number's complement has the same width as the number of its magnitude less one.
  const magnitude = value < 0n ? -value - 1n : value;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const size = Math.floor(bits / 8) + 1;
  const digits = BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, "0");
  return Buffer.from(digits, "hex");
}

function writeSmall(to: AvroWriter, value: number): void {
  let size = 1;
  for (let limit = 128; value >= limit || value < -limit; limit *= 256) size++;
  to.long(size);
  for (let byte = size - 1; byte >= 0; byte--) {
    to.byte(Math.floor(value / 256 ** byte) & 0xff);
  }
}

function assertFinite(text: string): void {
  if (/[a-z]/i.test(text)) throw unrepresentable(text, "numeric");
}

function unscaled(text: string): bigint {
  assertFinite(text);
  return BigInt(text.replace(".", ""));
}

/** With precision and scale: Postgres writes exactly as many decimals as the scale says. */
export function decimal(precision: number, scale: number): Converter {
  const parameters = { scale: `${scale}`, "connect.decimal.precision": `${precision}` };
  return {
    schema: decimalSchema({ precision, scale }, parameters),
    write: (to, bytes, start, end) => writeScaled(to, bytes, [start, end]),
    writeFallback: (to) => writeUnscaled(to, 0n),
    defaultOf: (literal = "0") => {
      const text = withScale(literal, scale);
      if (text === undefined) return undefined;
      return { json: twosComplement(unscaled(text)).toString("latin1"), text };
    },
  };
}

function decimalSchema(
  { precision, scale }: { precision: number; scale: number },
  parameters: object,
): AvroTypeObject {
  return {
    type: "bytes",
    scale,
    precision,
    "connect.version": 1,
    "connect.parameters": parameters,
    "connect.name": "org.apache.kafka.connect.data.Decimal",
    logicalType: "decimal",
  };
}

function writeScaled(to: AvroWriter, bytes: Buffer, [start, end]: readonly [number, number]): void {
  const text = end - start > exactDigits || (bytes[end - 1] as number) > digit9;
  if (text) writeUnscaled(to, unscaled(bytes.toString("latin1", start, end)));
  else writeSmall(to, readUnscaled(bytes, start, end));
}

/** The digits as one whole number, the point left out. */
function readUnscaled(bytes: Buffer, start: number, end: number): number {
  const pointAt = bytes.subarray(start, end).indexOf(point);
  if (pointAt < 0) return readInteger(bytes, start, end);
  const fractionAt = start + pointAt + 1;
  const whole = readInteger(bytes, start, fractionAt - 1);
  const fraction = readInteger(bytes, fractionAt, end);
  const shifted = Math.abs(whole) * 10 ** (end - fractionAt) + fraction;
  return bytes[start] === minus ? -shifted : shifted;
}

const plainNumber = /^-?\d+(?:\.\d+)?$/;

/** The number with so many decimals; undefined where it has more of them, or is none. */
function withScale(text: string, scale: number): string | undefined {
  if (!plainNumber.test(text)) return undefined;
  const [whole = "0", fraction = ""] = text.split(".");
  if (/[1-9]/.test(fraction.slice(scale))) return undefined;
  return scale === 0 ? whole : `${whole}.${fraction.slice(0, scale).padEnd(scale, "0")}`;
}

/** Without a scale of its own, each value brings one; trailing zeros are left out. */
export const variableScaleDecimal: Converter = {
  schema: {
    type: "record",
    name: "VariableScaleDecimal",
    namespace: "io.debezium.data",
    fields: [
      { name: "scale", type: "int" },
      { name: "value", type: "bytes" },
    ],
    "connect.doc": "Variable scaled decimal",
    "connect.version": 1,
    "connect.name": "io.debezium.data.VariableScaleDecimal",
  },
  write: (to, bytes, start, end) => {
    const text = bytes.toString("latin1", start, end);
    const stripped = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
    const pointAt = stripped.indexOf(".");
    to.long(pointAt < 0 ? 0 : stripped.length - pointAt - 1);
    writeUnscaled(to, unscaled(stripped));
  },
  writeFallback: (to) => {
    to.long(0);
    writeUnscaled(to, 0n);
  },
};

/** numeric as a double, which has room for NaN and infinities too. */
export const decimalAsDouble: Converter = {
  schema: "double",
  write: (to, bytes, start, end) => to.double(Number(bytes.toString("latin1", start, end))),
  writeFallback: (to) => to.double(0),
  defaultOf: (literal = "0") =>
    plainNumber.test(literal) ? { json: Number(literal), text: literal } : undefined,
};

const specialNames: Readonly<Record<string, string>> = {
  NaN: "NAN",
  Infinity: "POSITIVE_INFINITY",
  "-Infinity": "NEGATIVE_INFINITY",
};

/** numeric as its digits; -1: no scale, so that each value keeps the decimals that it has. */
export function decimalAsText(scale: number): Converter {
  const zero = scale > 0 ? `0.${"0".repeat(scale)}` : "0";
  return {
    schema: "string",
    write: (to, bytes, start, end) => {
      const special = (bytes[end - 1] as number) > digit9;
      if (special) to.ascii(specialNames[bytes.toString("latin1", start, end)] ?? "");
      else to.slice(bytes, start, end);
    },
    writeFallback: (to) => to.ascii(zero),
    defaultOf: (literal = "0.0"): AvroDefault | undefined => {
      const told = scale < 0 ? literal : withScale(literal, scale);
      return told === undefined || !plainNumber.test(told) ? undefined : { json: told, text: told };
    },
  };
}
