import { expect, test } from "vitest";

import { AvroWriter } from "../../connectors/capture/avro-writer.ts";
import { converterOf, type ColumnType } from "../../connectors/capture/types/resolve.ts";
import { defaultValueModes } from "../../connectors/capture/types/value-modes.ts";
import { avroName } from "../../connectors/capture/tables/names.ts";
import { FatalError } from "../../engine/errors.ts";

const modes = defaultValueModes;
const numeric = (precision: number, scale: number): number => ((precision << 16) | scale) + 4;

function write(type: Partial<ColumnType> & { readonly name: string }, text: string): string {
  const given = { schema: "pg_catalog", modifier: -1, array: false, ...type };
  const converter = converterOf(given, modes);
  if (!converter) throw new Error(`no converter for ${type.name}`);
  const writer = new AvroWriter();
  const bytes = Buffer.from(text, "utf8");
  converter.write(writer, bytes, 0, bytes.length);
  return writer.finish().toString("hex");
}

/** Avro's form of a text. */
const textOf = (value: string): string =>
  Buffer.concat([Buffer.from([Buffer.byteLength(value) * 2]), Buffer.from(value)]).toString("hex");

/** Avro's form of an int or long (zigzag, base 128), by Avro's own definition. */
function longOf(value: bigint): string {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]).toString("hex");
}

test.each([
  ["int4", "-2147483648", -2_147_483_648n],
  ["int8", "9223372036854775807", 9_223_372_036_854_775_807n],
  ["int8", "-9223372036854775808", -9_223_372_036_854_775_808n],
  ["int8", "9007199254740993", 9_007_199_254_740_993n],
  ["int8", "4294967296", 4_294_967_296n],
  ["oid", "4294967295", 4_294_967_295n],
  ["date", "2024-02-29", 19_782n],
  ["date", "1969-12-31", -1n],
  ["date", "0044-03-15 BC", -735_160n],
  ["timestamp", "2024-02-29 12:34:56.789012", 1_709_210_096_789_012n],
  ["time", "24:00:00", 86_400_000_000n],
  ["interval", "1 year 2 mons 3 days 04:05:06.789012", 37_091_106_789_012n],
  ["interval", "-1 mons +2 days -00:00:00.000001", -2_457_000_000_001n],
])("%s %s is a long", (name, text, expected) => {
  expect(write({ name }, text)).toBe(longOf(expected));
});

test("times with three decimals or fewer are milliseconds", () => {
  expect(write({ name: "timestamp", modifier: 3 }, "1969-12-31 23:59:59.999")).toBe(longOf(-1n));
  expect(write({ name: "time", modifier: 0 }, "12:34:56")).toBe(longOf(45_296_000n));
});

test.each([
  ["timestamptz", -1, "2024-02-29 10:34:56.1+00", "2024-02-29T10:34:56.100000Z"],
  ["timestamptz", 3, "2024-02-29 10:34:56.789+00", "2024-02-29T10:34:56.789Z"],
  ["timestamptz", 0, "12024-02-29 10:34:56+00", "+12024-02-29T10:34:56Z"],
  ["timetz", -1, "12:34:56.789012+05:30", "07:04:56.789012Z"],
  ["timetz", -1, "00:00:00+15:59", "08:01:00Z"],
  ["jsonb", -1, '{"a": 1}', '{"a": 1}'],
  ["bpchar", 9, "ab   ", "ab   "],
])("%s(%s) %s is the text %s", (name, modifier, text, expected) => {
  expect(write({ name, modifier }, text)).toBe(textOf(expected));
});

test.each([
  [numeric(10, 2), "12345678.90", "08499602d2"],
  [numeric(10, 2), "-0.01", "02ff"],
  [numeric(10, 2), "0.00", "0200"],
  [numeric(10, 2), "1.28", "040080"],
  [numeric(10, 2), "-1.28", "0280"],
  [numeric(20, 0), "99999999999999999999", "12056bc75e2d630fffff"],
])("numeric of modifier %s %s is its unscaled bytes", (modifier, text, expected) => {
  expect(write({ name: "numeric", modifier }, text)).toBe(expected);
});

test("a numeric without scale brings its own, without trailing zeros", () => {
  expect(write({ name: "numeric" }, "123.4500")).toBe("04043039");
  expect(write({ name: "numeric" }, "100")).toBe("000264");
  expect(write({ name: "numeric" }, "10.0")).toBe("00020a");
});

test("arrays keep NULL, the text NULL, quotes and the empty text apart", () => {
  const written = write({ name: "text", array: true }, String.raw`{a,NULL,"","NULL","q\"x,y"}`);
  const items = ["a", "", "NULL", 'q"x,y'].map((text) => `02${textOf(text)}`);
  expect(written).toBe(`0a${items[0]}00${items[1]}${items[2]}${items[3]}00`);
});

test.each([
  ["numeric", "NaN"],
  ["numeric", "-Infinity"],
  ["date", "infinity"],
  ["timetz", "25:00:00"],
])("%s %s is refused, not garbled", (name, text) => {
  const modifier = name === "numeric" ? numeric(10, 2) : -1;
  expect(() => write({ name, modifier }, text)).toThrow(FatalError);
});

test("arrays of two dimensions, and enum arrays with NULL, are refused where they come", () => {
  expect(() => write({ name: "int4", array: true }, "{{1,2},{3,4}}")).toThrow(/int4\[\]\[\]/);
  const mood = { name: "mood", schema: "public", array: true, labels: ["sad", "ok"] };
  expect(() => write(mood, "{ok,NULL}")).toThrow(FatalError);
  expect(write(mood, "{ok}")).toBe(`02${textOf("ok")}00`);
});

test.each(["box", "int4multirange", "pg_lsn", "xid8"])("%s has no converter", (name) => {
  const type = { name, schema: "pg_catalog", modifier: -1, array: false };
  expect(converterOf(type, modes)).toBeUndefined();
});

test("names become Avro's, unit by unit", () => {
  expect(avroName("größe_id")).toBe("gr__e_id");
  expect(avroName("emoji😀")).toBe("emoji__");
  expect(avroName("1st")).toBe("_1st");
});
