import { describe, expect, test } from "vitest";

import {
  DecodeError,
  makeEncoder,
  makeResolver,
  parseSchema,
  ResolutionError,
} from "../../schemas/avro/index.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly writer: unknown;
  readonly reader: unknown;
  readonly bytesHex: string;
  readonly expected?: unknown;
  readonly expectError?: boolean;
}

const record = (...fields: readonly unknown[]): unknown => ({ type: "record", name: "R", fields });
const enumeration = (symbols: readonly string[], rest?: object): unknown => ({
  type: "enum",
  name: "E",
  symbols,
  ...rest,
});
const own: readonly Case[] = [
  {
    id: "an int as a float loses digits",
    writer: "int",
    reader: "float",
    bytesHex: "82808010",
    expected: 16_777_216,
  },
  {
    id: "a known symbol of an enum with unknown ones",
    writer: enumeration(["A", "B", "C"]),
    reader: enumeration(["B", "C"]),
    bytesHex: "02",
    expected: "B",
  },
  {
    id: "an unknown symbol",
    writer: enumeration(["A", "B", "C"]),
    reader: enumeration(["B", "C"]),
    bytesHex: "00",
    expectError: true,
  },
  {
    id: "an unknown symbol with a default",
    writer: enumeration(["A", "B", "C"]),
    reader: enumeration(["B", "C"], { default: "C" }),
    bytesHex: "00",
    expected: "C",
  },
  {
    id: "a union's branch that fits",
    writer: ["int", "string"],
    reader: "string",
    bytesHex: "020461 62".replace(" ", ""),
    expected: "ab",
  },
  {
    id: "a union's branch that doesn't",
    writer: ["int", "string"],
    reader: "string",
    bytesHex: "0002",
    expectError: true,
  },
  {
    id: "unknown fields are passed over",
    writer: record(
      { name: "a", type: { type: "array", items: "long" } },
      { name: "b", type: "int" },
    ),
    reader: record({ name: "b", type: "int" }),
    bytesHex: "03040608000e",
    expected: { b: 7 },
  },
  {
    id: "a missing field takes its default",
    writer: record(),
    reader: record({ name: "a", type: ["null", "int"], default: null }),
    bytesHex: "",
    expected: { a: null },
  },
  {
    id: "a missing field without default",
    writer: record(),
    reader: record({ name: "a", type: "int" }),
    bytesHex: "",
    expectError: true,
  },
  {
    id: "a field's alias",
    writer: record({ name: "old", type: "int" }),
    reader: record({ name: "a", type: "long", aliases: ["old"] }),
    bytesHex: "0e",
    expected: { a: 7 },
  },
  {
    id: "an equal type before a promotion",
    writer: "string",
    reader: ["bytes", "string"],
    bytesHex: "0261",
    expected: "a",
  },
  {
    id: "a promotion where nothing is equal",
    writer: "int",
    reader: ["string", "double"],
    bytesHex: "0e",
    expected: 7,
  },
];

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item: unknown) => {
      const json = item as { type?: string; data?: readonly number[] };
      return json?.type === "Buffer" ? Buffer.from(json.data ?? []).toString("latin1") : item;
    }),
  );
}

describe("schema resolution", () => {
  test.each(vectors("resolution", own))("$id", ({ reader, writer, ...one }) => {
    const decode = (): unknown =>
      makeResolver(parseSchema(reader), parseSchema(writer)).decode(
        Buffer.from(one.bytesHex, "hex"),
      );
    if (one.expectError === true) expect(decode).toThrow(/./);
    else expect(plain(decode())).toEqual(one.expected);
  });
});

test("refuses at once only what no data could satisfy", () => {
  const resolver = (reader: unknown, writer: unknown): unknown =>
    makeResolver(parseSchema(reader), parseSchema(writer));
  expect(() => resolver("int", "string")).toThrow(ResolutionError);
  expect(() => resolver("int", ["string", "null"])).toThrow(ResolutionError);
  expect(() =>
    resolver({ type: "array", items: "int" }, { type: "array", items: "string" }),
  ).not.toThrow();
  expect(() => resolver("int", ["string", "int"])).not.toThrow();
});

test("a record within itself is read to its end, and refused when it is nested too deep", () => {
  const list = parseSchema({
    type: "record",
    name: "List",
    fields: [
      { name: "value", type: "int" },
      { name: "next", type: ["null", "List"] },
    ],
  });
  const nested = (depth: number): unknown => {
    let value: unknown = null;
    for (let level = 0; level < depth; level += 1) value = { value: level, next: value };
    return value;
  };
  const resolver = makeResolver(list, list);
  expect(resolver.decode(makeEncoder(list).encode(nested(400)))).toEqual(nested(400));
  expect(() => resolver.decode(makeEncoder(list).encode(nested(1000)))).toThrow(DecodeError);
});

test("a field called __proto__ is a field", () => {
  const odd = parseSchema(record({ name: "__proto__", type: "int" }));
  const value = makeResolver(odd, odd).decode(Buffer.from("0e", "hex")) as object;
  expect(Object.entries(value)).toEqual([["__proto__", 7]]);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test("longs beyond 2^53 are bigints where asked, left out, or refused", () => {
  const writer = parseSchema(record({ name: "big", type: "long" }, { name: "a", type: "int" }));
  const big = 2n ** 63n - 1n;
  const bytes = makeEncoder(writer).encode({ big, a: 1 });
  const read = (schema: unknown, longs?: "bigint"): unknown =>
    makeResolver(parseSchema(schema), writer, longs === undefined ? {} : { longs }).decode(bytes);
  const asked = record({ name: "big", type: { type: "long", longAs: "bigint" } });
  expect(read(asked)).toEqual({ big });
  expect(read(record({ name: "a", type: "int" }))).toEqual({ a: 1 });
  expect(read(record({ name: "big", type: "long" }), "bigint")).toEqual({ big });
  expect(() => read(record({ name: "big", type: "long" }))).toThrow(DecodeError);
  expect(read(record({ name: "big", type: "double" }))).toEqual({ big: Number(big) });
});
