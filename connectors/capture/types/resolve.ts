import { arrayOf, type ArrayItems } from "./array.ts";
import type { Converter } from "./converter.ts";
import { decimal, money, variableScaleDecimal } from "./decimal.ts";
import * as plain from "./plain.ts";
import * as temporal from "./temporal.ts";

/** A column's type as the catalogue gives it, domains resolved to what they stand on. */
export interface ColumnType {
  /** pg_type.typname of the base type, or of the element where it is an array. */
  readonly name: string;
  /** Its schema: built-in types lie in pg_catalog. */
  readonly schema: string;
  /** Of the column or the innermost domain; -1: none. */
  readonly modifier: number;
  readonly array: boolean;
  /** Labels of an enum, in their order. */
  readonly labels?: readonly string[];
}

type MakeConverter = (modifier: number) => Converter;

/** Decimals of a time or timestamp; without a modifier it has six. */
const digits = (modifier: number): number => (modifier < 0 ? 6 : modifier);

function numeric(modifier: number): Converter {
  if (modifier < 4) return variableScaleDecimal;
  const packed = modifier - 4;
  // The scale takes eleven bits, with a sign.
  return decimal(packed >> 16, ((packed & 0x7ff) ^ 1024) - 1024);
}

/** Types of pg_catalog, and those of extensions that are told by name alone. */
const converters: Readonly<Record<string, MakeConverter>> = {
  bool: () => plain.boolean,
  int2: () => plain.int16,
  int4: () => plain.int32,
  int8: () => plain.int64,
  oid: () => plain.int64,
  float4: () => plain.float32,
  float8: () => plain.float64,
  numeric,
  money: () => money,
  text: () => plain.plainText,
  varchar: () => plain.plainText,
  bpchar: () => plain.plainText,
  char: () => plain.plainText,
  name: () => plain.plainText,
  citext: () => plain.plainText,
  inet: () => plain.plainText,
  cidr: () => plain.plainText,
  macaddr: () => plain.plainText,
  macaddr8: () => plain.plainText,
  bytea: () => plain.bytes,
  uuid: () => plain.uuid,
  json: () => plain.json,
  jsonb: () => plain.json,
  xml: () => plain.xml,
  tsvector: () => plain.textVector,
  date: () => temporal.date,
  time: (modifier) => temporal.time(digits(modifier)),
  timetz: () => temporal.zonedTime,
  timestamp: (modifier) => temporal.timestamp(digits(modifier)),
  timestamptz: (modifier) => temporal.zonedTimestamp(digits(modifier)),
  interval: () => temporal.interval,
};

const extensionTypes = new Set(["citext"]);

/** Element types whose arrays the connector leaves out; ours refuses them by name. */
const notInArrays = new Set(["money", "interval", "xml", "tsvector", "timetz"]);
/** How the connector tells an unchanged array out of line, by the type of its elements. */
const byteItems = new Set(["int2", "int4", "int8", "date"]);
const textItems = new Set(["text", "varchar", "bpchar", "citext", "json", "jsonb", "uuid"]);

function scalar(type: ColumnType): Converter | undefined {
  if (type.labels) return plain.enumeration(type.labels);
  if (type.schema !== "pg_catalog" && !extensionTypes.has(type.name)) return undefined;
  if (type.name === "numeric" && type.modifier >= 4 && (type.modifier - 4) & 0x400)
    return undefined;
  return converters[type.name]?.(type.modifier);
}

function unavailableItems(type: ColumnType): ArrayItems["unavailable"] {
  if (byteItems.has(type.name)) return "bytes";
  return textItems.has(type.name) ? "text" : "none";
}

/** The converter of a column, or undefined where its type can't be captured. */
export function converterOf(type: ColumnType): Converter | undefined {
  const converter = scalar(type);
  if (!type.array || !converter) return converter;
  if (notInArrays.has(type.name)) return undefined;
  return arrayOf({
    converter,
    nulls: type.labels ? "refused" : "allowed",
    unavailable: unavailableItems(type),
    typeName: type.name,
  });
}
