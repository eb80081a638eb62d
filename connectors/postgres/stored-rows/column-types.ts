import type { Column, ColumnKind } from "../../../engine/columns.ts";
import {
  booleanArray,
  float8Array,
  int4Array,
  int8Array,
  int8ArrayOfNumbers,
  readBoolean,
  readFloat8,
  readInt4,
  readInt8,
  readInt8AsNumber,
  readText,
  textArray,
  type ReadElement,
} from "../binary-array.ts";

/** How a kind of column is kept, sent and read. */
export interface ColumnType {
  readonly sql: string;
  /** Type of the parameter that brings the values of many rows. */
  readonly parameter: string;
  /** From the parameter's element to the column. */
  readonly stored: (element: string) => string;
  readonly encode: (values: readonly unknown[]) => Buffer;
  /** From what pg's text parsers give. */
  readonly decode: (value: unknown) => unknown;
  /** From the column to the element of a binary array that `unpack` reads. */
  readonly packed: (column: string) => string;
  readonly unpack: ReadElement<unknown>;
}

const asIs = (element: string): string => element;
const same = (value: unknown): unknown => value;

/** Milliseconds in Postgres' own arithmetic: microseconds as whole numbers, exact in all its range. */
const fromMilliseconds = (element: string): string =>
  `timestamptz 'epoch' + ${element} * interval '1 millisecond'`;

const inMilliseconds = (column: string): string => `(extract(epoch from ${column}) * 1000)::int8`;

const readJson: ReadElement<unknown> = (bytes, at, length): unknown =>
  JSON.parse(readText(bytes, at, length));

const types: Readonly<Record<ColumnKind, ColumnType>> = {
  text: {
    // Order by bytes is the same everywhere; a language's order changes with the server's libraries.
    sql: `text collate "C"`,
    parameter: "text[]",
    stored: asIs,
    encode: (values) => textArray(values as string[]),
    decode: same,
    packed: asIs,
    unpack: readText,
  },
  integer: {
    sql: "integer",
    parameter: "int4[]",
    stored: asIs,
    encode: (values) => int4Array(values as number[]),
    decode: same,
    packed: asIs,
    unpack: readInt4,
  },
  bigint: {
    sql: "bigint",
    parameter: "int8[]",
    stored: asIs,
    encode: (values) => int8Array(values as bigint[]),
    decode: same,
    packed: asIs,
    unpack: readInt8,
  },
  double: {
    sql: "double precision",
    parameter: "float8[]",
    stored: asIs,
    encode: (values) => float8Array(values as number[]),
    decode: same,
    packed: asIs,
    unpack: readFloat8,
  },
  boolean: {
    sql: "boolean",
    parameter: "boolean[]",
    stored: asIs,
    encode: (values) => booleanArray(values as boolean[]),
    decode: same,
    packed: asIs,
    unpack: readBoolean,
  },
  timestamp: {
    sql: "timestamptz(3)",
    parameter: "int8[]",
    stored: fromMilliseconds,
    encode: (values) => int8ArrayOfNumbers(values as number[]),
    decode: (value) => (value instanceof Date ? value.getTime() : value),
    packed: inMilliseconds,
    unpack: readInt8AsNumber,
  },
  json: {
    sql: "jsonb",
    parameter: "text[]",
    stored: (element) => `${element}::jsonb`,
    encode: (values) => textArray(values as string[]),
    decode: same,
    packed: (column) => `${column}::text`,
    unpack: readJson,
  },
};

export const columnType = (column: Column): ColumnType => types[column.kind];

/** The value as its column's `encode` takes it. */
export function outgoing(column: Column, value: unknown): unknown {
  if (column.kind !== "json") return value;
  return value === null && column.nullable ? null : JSON.stringify(value);
}
