import { describe, expect, test } from "vitest";

import {
  DecodeError,
  defaultDecodeLimits,
  makeResolver,
  parseSchema,
  SchemaError,
} from "../../schemas/avro/index.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly schema: unknown;
  readonly bytesHex: string;
  readonly expect: string;
}

const array = (items: unknown): unknown => ({ type: "array", items });
const own: readonly Case[] = [
  { id: "text beyond the payload", schema: "string", bytesHex: "80808064", expect: "error" },
  { id: "a negative length", schema: "bytes", bytesHex: "0970", expect: "error" },
  { id: "more items than bytes", schema: array("long"), bytesHex: "80897a", expect: "error" },
  {
    id: "fifty million nulls in five bytes",
    schema: array("null"),
    bytesHex: "80c2d72f00",
    expect: "error",
  },
  {
    id: "a negative count of nulls",
    schema: array("null"),
    bytesHex: "ffc1d72f0000",
    expect: "error",
  },
  {
    id: "empty records in great number",
    schema: array({ type: "record", name: "E", fields: [] }),
    bytesHex: "80c2d72f00",
    expect: "error",
  },
  {
    id: "fixed types of no bytes",
    schema: array({ type: "fixed", name: "F", size: 0 }),
    bytesHex: "80c2d72f00",
    expect: "error",
  },
  { id: "a long that never ends", schema: "long", bytesHex: "ff".repeat(40), expect: "error" },
  {
    id: "a count of -2^63",
    schema: array("null"),
    bytesHex: "ffffffffffffffffff01",
    expect: "error",
  },
  { id: "a branch that isn't there", schema: ["null", "int"], bytesHex: "04", expect: "error" },
  { id: "a negative branch", schema: ["null", "int"], bytesHex: "01", expect: "error" },
  {
    id: "a symbol that isn't there",
    schema: { type: "enum", name: "E", symbols: ["A"] },
    bytesHex: "02",
    expect: "error",
  },
  { id: "an int of 33 bits", schema: "int", bytesHex: "8080808020", expect: "error" },
  {
    id: "a map's key __proto__",
    schema: { type: "map", values: "int" },
    bytesHex: "02125f5f70726f746f5f5f0200",
    expect: "error",
  },
  { id: "bytes left over", schema: "int", bytesHex: "0202", expect: "error" },
  { id: "a datum of an empty union", schema: [], bytesHex: "00", expect: "error" },
];

/** Of a few attempts, so that a busy machine's pauses don't count. */
function leastMs(act: () => unknown): number {
  const attempts = [1, 2, 3].map(() => {
    const begun = performance.now();
    try {
      act();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    return performance.now() - begun;
  });
  return Math.min(...attempts);
}

describe("hostile bytes end in a DecodeError, or stay bounded, within 50 ms", () => {
  test.each(vectors("hostile", own))("$id", ({ schema, bytesHex, ...one }) => {
    const parsed = parseSchema(schema);
    const resolver = makeResolver(parsed, parsed);
    const bytes = Buffer.from(bytesHex, "hex");
    const before = process.memoryUsage().heapUsed;
    if (one.expect.startsWith("error")) expect(() => resolver.decode(bytes)).toThrow(DecodeError);
    else expect(resolver.decode(bytes)).toHaveLength(100_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
    expect(leastMs(() => resolver.decode(bytes))).toBeLessThan(50);
  });

  test.each(vectors("hostile", own))("passed over as an unknown field: $id", (one) => {
    const record = (...fields: readonly unknown[]): ReturnType<typeof parseSchema> =>
      parseSchema({ type: "record", name: "R", fields });
    const writer = record({ name: "odd", type: one.schema }, { name: "last", type: "string" });
    const resolver = makeResolver(record({ name: "last", type: "string" }), writer);
    const bytes = Buffer.concat([Buffer.from(one.bytesHex, "hex"), Buffer.alloc(4, 0xff)]);
    expect(() => resolver.decode(bytes)).toThrow(DecodeError);
    expect(leastMs(() => resolver.decode(bytes))).toBeLessThan(50);
  });
});

test("a payload beyond the cap is refused before it is read", () => {
  const bytes = parseSchema("bytes");
  const large = Buffer.alloc(defaultDecodeLimits.payloadBytesMax + 1);
  expect(() => makeResolver(bytes, bytes).decode(large)).toThrow(/at most 1048576 are read/);
});

test("blocks of no items can't go on for ever, and blocks of nulls add up", () => {
  const nulls = parseSchema(array("null"));
  const blocks = Buffer.concat([...Array(20).fill(Buffer.from("c09a0c", "hex")), Buffer.alloc(1)]);
  expect(() => makeResolver(nulls, nulls).decode(blocks)).toThrow(/more than 131072 items/);
});

test("a payload full of the smallest items costs no more than a bounded number of values", () => {
  const lists = parseSchema(array(array("int")));
  const count = Buffer.from("f8ff7f", "hex");
  const bytes = Buffer.concat([count, Buffer.alloc(defaultDecodeLimits.payloadBytesMax - 3)]);
  const resolver = makeResolver(lists, lists);
  const before = process.memoryUsage().heapUsed;
  expect(() => resolver.decode(bytes)).toThrow(/more than 131072 items/);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * 1024 * 1024);
});

test("a writer's records of nothing, doubled thirty times, are passed over at once", () => {
  let type: unknown = { type: "record", name: "R0", fields: [{ name: "n", type: "null" }] };
  for (let level = 1; level <= 30; level += 1) {
    const again = `R${level - 1}`;
    const fields = [
      { name: "a", type },
      { name: "b", type: again },
    ];
    type = { type: "record", name: `R${level}`, fields };
  }
  const record = (...fields: readonly unknown[]): ReturnType<typeof parseSchema> =>
    parseSchema({ type: "record", name: "R", fields });
  const last = { name: "last", type: "int" };
  const resolver = makeResolver(record(last), record({ name: "odd", type }, last));
  expect(resolver.decode(Buffer.from("0e", "hex"))).toEqual({ last: 7 });
});

test("a hostile schema ends in a SchemaError", () => {
  const deep = `${'{"type":"array","items":'.repeat(5000)}"int"${"}".repeat(5000)}`;
  expect(() => parseSchema(deep)).toThrow(SchemaError);
  const lists = "[".repeat(100_000) + "]".repeat(100_000);
  const field = `{"name":"a","type":{"type":"array","items":"R"},"default":${lists}}`;
  expect(() => parseSchema(`{"type":"record","name":"R","fields":[${field}]}`)).toThrow(
    SchemaError,
  );
});
