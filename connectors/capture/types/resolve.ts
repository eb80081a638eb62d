import { javaDouble } from "../routing/java-numbers.ts";
import { arrayOf, type ArrayItems, type UnavailableItems } from "./array.ts";
import { bytea, opaque } from "./binary.ts";
import { bits } from "./bits.ts";
import type { Converter } from "./converter.ts";
import { decimal, decimalAsDouble, decimalAsText, variableScaleDecimal } from "./decimal.ts";
import { hstore } from "./hstore.ts";
import { interval } from "./interval.ts";
import { money } from "./money.ts";
import { placeholderOf, type Placeholder } from "./placeholder.ts";
import * as plain from "./plain.ts";
import { point } from "./point.ts";
import * as temporal from "./temporal.ts";
import type { ValueModes } from "./value-modes.ts";

/** A column's type as the catalogue gives it, domains resolved to what they stand on. */
export interface ColumnType {
  /** pg_type.typname of the base type, or of the element where it is an array. */
  readonly name: string;
  /** Its schema: built-in types lie in pg_catalog. */
  readonly schema: string;
  /** Of the column or the innermost domain; -1: none. */
  readonly modifier: number;
  /** "domains": an array whose elements are of a domain, which Debezium has no converter for. */
  readonly array: boolean | "domains";
  /** Labels of an enum, in their order. */
  readonly labels?: readonly string[];
}

/** What a converter is made for: the column's modifier, and how the capture tells values. */
interface Making {
  readonly modifier: number;
  readonly modes: ValueModes;
  readonly placeholder: Placeholder;
}

type MakeConverter = (making: Making) => Converter;

/** Decimals of a time or timestamp; without a modifier it has six. */
const digits = (modifier: number): number => (modifier < 0 ? 6 : modifier);

function numeric({ modifier, modes }: Making): Converter {
  const packed = modifier - 4;
  // The scale takes eleven bits, with a sign.
  const scale = modifier < 4 ? -1 : ((packed & 0x7ff) ^ 1024) - 1024;
  if (modes.decimal === "double") return decimalAsDouble;
  if (modes.decimal === "string") return decimalAsText(scale);
  return modifier < 4 ? variableScaleDecimal : decimal(packed >> 16, scale);
}

const text: MakeConverter = ({ placeholder }) => plain.text("string", placeholder);

function named(schema: keyof typeof plain.namedText, computed?: string): MakeConverter {
  return ({ placeholder }) => plain.text(plain.namedText[schema], placeholder, computed);
}

/** Types of pg_catalog. */
const builtIn: Readonly<Record<string, MakeConverter>> = {
  bool: () => plain.boolean,
  int2: () => plain.int16,
  int4: () => plain.int32,
  int8: () => plain.int64,
  oid: () => plain.int64,
  float4: () => plain.float32,
  float8: () => plain.float64,
  numeric,
  money: ({ modes }) => money(modes.decimal, modes.moneyDecimals),
  text,
  varchar: text,
  bpchar: text,
  char: text,
  name: text,
  inet: text,
  cidr: text,
  macaddr: text,
  macaddr8: text,
  int4range: text,
  int8range: text,
  numrange: text,
  tsrange: text,
  tstzrange: text,
  daterange: text,
  bit: ({ modifier }) => bits(modifier),
  varbit: ({ modifier }) => bits(modifier),
  point: () => point,
  bytea: ({ modes, placeholder }) => bytea(modes.binary, placeholder),
  uuid: named("uuid", plain.zeroUuid),
  json: named("json", "{}"),
  jsonb: named("json", "{}"),
  xml: named("xml"),
  tsvector: named("textVector"),
  date: ({ modes }) => temporal.date(modes.time),
  time: ({ modes, modifier }) => temporal.time(modes.time, digits(modifier)),
  timetz: () => temporal.zonedTime,
  timestamp: ({ modes, modifier }) => temporal.timestamp(modes.time, digits(modifier)),
  timestamptz: ({ modifier }) => temporal.zonedTimestamp(digits(modifier)),
  interval: ({ modes }) => interval(modes.interval),
};

/** Types of extensions, which are told by name alone. */
const extensions: Readonly<Record<string, MakeConverter>> = {
  citext: text,
  isbn: text,
  ltree: named("labelTree"),
  hstore: ({ modes, placeholder }) => hstore(modes.hstore, placeholder),
};

/** Element types whose arrays the connector leaves out, whatever the mode of unknown types. */
const neverInArrays = new Set("money interval xml name varbit bit point refcursor isbn".split(" "));

/** Of these, the bytes are the text of the Java driver's objects. */
const geometric = new Set("box line lseg path polygon circle".split(" "));

function javaNumbers(text: string): string {
  return text.replace(/[^()<>[\]{},]+/g, (number) => javaDouble(Number(number)));
}

/** The converter of a column, or undefined where its type can't be captured. */
export function converterOf(type: ColumnType, modes: ValueModes): Converter | undefined {
  const placeholder = placeholderOf(modes.unavailable);
  const making: Making = { modifier: type.modifier, modes, placeholder };
  if (type.array && neverInArrays.has(type.name)) return undefined;
  const known = type.array === "domains" ? undefined : scalar(type, making);
  const rewrite = type.array || !geometric.has(type.name) ? undefined : javaNumbers;
  const unknown =
    modes.unknownTypes === "bytes" ? opaque(modes.binary, placeholder, rewrite) : undefined;
  const converter = known ?? unknown;
  if (!type.array || !converter) return converter;
  return arrayOf({
    converter,
    // The connector's schema for items has no null where it doesn't know the type by its number.
    nulls: type.labels || !known || itemsByKind.has(type.name) ? "refused" : "allowed",
    unavailable: unavailableItems(type, modes),
    placeholder,
    delimiter: type.name === "box" ? ";" : ",",
    typeName: type.name,
  });
}

function scalar(type: ColumnType, making: Making): Converter | undefined {
  if (type.labels) return plain.enumeration(type.labels, making.placeholder);
  const makers = type.schema === "pg_catalog" ? builtIn : extensions;
  if (type.schema === "pg_catalog" && hasNegativeScale(type)) return undefined;
  return Object.hasOwn(makers, type.name) ? makers[type.name]?.(making) : undefined;
}

/** Its values would be told with the digits that they don't have. */
function hasNegativeScale({ name, modifier }: ColumnType): boolean {
  return name === "numeric" && modifier >= 4 && ((modifier - 4) & 0x400) !== 0;
}

/** Element types whose arrays get their schema from that of a column of the element's type. */
const itemsByKind = new Set(["tsvector"]);

const itemsAsBytes = new Set(["int2", "int4", "int8", "date"]);
const itemsOfOtherForms = new Set(["bool", "oid", "float4", "float8", "numeric", "hstore", "time"]);

/** Debezium's form where it has one; for other items that are texts, the text. */
function unavailableItems(type: ColumnType, modes: ValueModes): UnavailableItems {
  if (type.name === "uuid") return "uuid";
  if (type.name === "bytea") return "bytes";
  if (type.name === "date" && modes.time === "isostring") return "text";
  if (itemsAsBytes.has(type.name)) return "byte-by-byte";
  if (itemsOfOtherForms.has(type.name) || type.name === "timestamp") return "none";
  return "text";
}

export type { ArrayItems };
