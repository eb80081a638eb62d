import { describe, expect, test } from "vitest";

import { EncodeError, makeEncoder, makeResolver, parseSchema } from "../../schemas/avro/index.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly schema: unknown;
  readonly datum: unknown;
  readonly datumEncoding?: string;
  readonly bytesHex: string;
}

const own: readonly Case[] = [
  { id: "a negative int", schema: "int", datum: -64, bytesHex: "7f" },
  { id: "an int of two bytes", schema: "int", datum: 64, bytesHex: "8001" },
  { id: "text", schema: "string", datum: "fü", bytesHex: "0666c3bc" },
  {
    id: "a list",
    schema: { type: "array", items: "long" },
    datum: [1, 3, 2],
    bytesHex: "0602060400",
  },
  { id: "a map", schema: { type: "map", values: "long" }, datum: { a: 1 }, bytesHex: "0202610200" },
  {
    id: "the first branch that fits",
    schema: ["string", "null", "long"],
    datum: 5,
    bytesHex: "040a",
  },
];

describe("binary encoding", () => {
  test.each(vectors("encoding", own))("$id", ({ datum, datumEncoding, ...one }) => {
    const schema = parseSchema(one.schema);
    const value = datumEncoding === undefined ? datum : Buffer.from(datum as string, "latin1");
    const bytes = makeEncoder(schema).encode(value);
    expect(bytes.toString("hex")).toBe(one.bytesHex);
    expect(makeResolver(schema, schema).decode(bytes)).toEqual(value);
  });
});

test("longs keep all their digits", () => {
  const long = parseSchema("long");
  const numbers = [0n, 1n, -1n, 2n ** 30n, -(2n ** 30n) - 1n, 2n ** 53n - 1n, 1n - 2n ** 53n];
  const resolver = makeResolver(long, long);
  for (const value of numbers) {
    const bytes = makeEncoder(long).encode(value);
    expect(makeEncoder(long).encode(Number(value))).toEqual(bytes);
    expect(resolver.decode(bytes)).toBe(Number(value));
  }
  const big = makeResolver(long, long, { longs: "bigint" });
  for (const value of [...numbers, 2n ** 63n - 1n, -(2n ** 63n)]) {
    expect(big.decode(makeEncoder(long).encode(value))).toBe(value);
  }
});

test("a field that is left out takes its default, of the branch that the default is of", () => {
  const schema = parseSchema({
    type: "record",
    name: "R",
    fields: [
      { name: "a", type: ["null", "int"], default: null },
      { name: "b", type: ["string", "bytes"], default: "x" },
      { name: "c", type: { type: "array", items: "int" }, default: [1] },
    ],
  });
  const bytes = makeEncoder(schema).encode({});
  expect(makeResolver(schema, schema).decode(bytes)).toEqual({ a: null, b: "x", c: [1] });
});

test("what doesn't fit is refused with its place", () => {
  const schema = parseSchema({
    type: "record",
    name: "R",
    fields: [
      {
        name: "list",
        type: {
          type: "array",
          items: { type: "record", name: "I", fields: [{ name: "n", type: "int" }] },
        },
      },
      { name: "of", type: ["null", { type: "enum", name: "E", symbols: ["A"] }], default: null },
    ],
  });
  const encode =
    (value: unknown): (() => Buffer) =>
    () =>
      makeEncoder(schema).encode(value);
  expect(encode({ list: [{ n: 1 }, { n: 1.5 }] })).toThrow(
    "Can't encode list/1/n: expected a 32-bit integer, found 1.5",
  );
  expect(encode({ list: [], of: "B" })).toThrow('of: expected one of A, found the text "B"');
  expect(encode({})).toThrow("list: expected a list, found undefined");
  expect(encode(null)).toThrow(EncodeError);
  expect(() => makeEncoder(parseSchema("string")).encode("\ud800")).toThrow(EncodeError);
  expect(() => makeEncoder(parseSchema("long")).encode(2 ** 53)).toThrow(EncodeError);
});
